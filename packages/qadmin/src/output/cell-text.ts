/** The lines of a value. What would move the cursor, change colours or ring is written as `\x1b`. */
export function cellLines(value: string | null, nullText: string): string[] {
  if (value === null) return [nullText];
  return value.split("\n").map(withoutControls);
}

function withoutControls(text: string): string {
  return text.replace(/\p{Cc}/gu, (control) =>
    control === "\t" ? "        " : `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

/** Counts characters, not UTF-16 units. */
export function textWidth(text: string): number {
  return Array.from(text).length;
}
