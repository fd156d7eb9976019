/** Writes a value as one indented JSON document and a line end; see {@link toJson}. */
export function printJson(stream: NodeJS.WritableStream, value: unknown): void {
  stream.write(`${toJson(value, 2)}\n`);
}

/** JSON text in which bigint is a number with all its digits, Map an object and Set an array.
 * @param indent blanks for each level; 0: everything on one line */
export function toJson(value: unknown, indent = 0): string {
  return render(value, indent, "") ?? "null";
}

function render(value: unknown, indent: number, margin: string): string | undefined {
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if ("toJSON" in value && typeof value.toJSON === "function") return render(value.toJSON(), indent, margin);
  const inner = margin + " ".repeat(indent);
  if (Array.isArray(value) || value instanceof Set) {
    return enclose(
      "[",
      "]",
      [...value].map((item) => render(item, indent, inner) ?? "null"),
      indent,
      margin,
    );
  }
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  const members: string[] = [];
  for (const [key, item] of entries) {
    const text = render(item, indent, inner);
    if (text !== undefined) members.push(`${JSON.stringify(String(key))}:${indent > 0 ? " " : ""}${text}`);
  }
  return enclose("{", "}", members, indent, margin);
}

function enclose(
  open: string,
  close: string,
  items: readonly string[],
  indent: number,
  margin: string,
): string {
  if (items.length === 0) return open + close;
  if (indent === 0) return open + items.join(",") + close;
  const inner = `\n${margin}${" ".repeat(indent)}`;
  return `${open}${inner}${items.join(`,${inner}`)}\n${margin}${close}`;
}
