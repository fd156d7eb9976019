/** The lines of a value. What would move the cursor, change colours or ring is written as `\x1b`. */
export function cellLines(value: string | null, nullText: string): string[] {
  if (value === null) return [nullText];
  return value.split("\n").map(withoutControls);
}

function withoutControls(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (control) =>
    control === "\t" ? "        " : `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

/** Counts characters, not UTF-16 units. */
export function textWidth(text: string): number {
  return Array.from(text).length;
}
