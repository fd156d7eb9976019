export interface TableColumnFormat<R> {
  readonly key: keyof R & string;
  /** default: the key */
  readonly title?: string;
  /** text of a value; default: empty for null and undefined, else its plain text */
  readonly format?: (value: R[keyof R & string], row: R) => string;
}

export interface RenderTableOptions<R> {
  readonly title?: string;
  /** default: the keys of the first row */
  readonly columns?: readonly (TableColumnFormat<R> | (keyof R & string))[];
}

const minimumWidth = 15;
const gap = 2;

/** Rows as Skytools prints them: title, header, dashes, rows, two blank lines; each column as wide as its longest
 * text, at least 15, plus two blanks; the last one is not padded. No rows: the empty string.
 * Source: spec/framework.md 5. */
export function renderTable<R extends object>(
  rows: readonly R[],
  options: RenderTableOptions<R> = {},
): string {
  const first = rows[0];
  if (first === undefined) return "";
  const columns = (options.columns ?? (Object.keys(first) as (keyof R & string)[])).map(
    (column): TableColumnFormat<R> => (typeof column === "object" ? column : { key: column }),
  );
  const cells = rows.map((row) => columns.map((column) => cellText(column, row)));
  const titles = columns.map((column) => column.title ?? column.key);
  const widths = titles.map((title, index) =>
    Math.max(minimumWidth, textWidth(title), ...cells.map((row) => textWidth(row[index] ?? ""))),
  );
  const lines = [titles, widths.map((width) => "-".repeat(width)), ...cells].map((row) =>
    tableLine(row, widths),
  );
  const title = options.title === undefined ? [] : [options.title];
  return `${[...title, ...lines].join("\n")}\n\n\n`;
}

function cellText<R extends object>(column: TableColumnFormat<R>, row: R): string {
  const value = row[column.key];
  if (column.format !== undefined) return column.format(value, row);
  return value === null || value === undefined ? "" : String(value);
}

function tableLine(row: readonly string[], widths: readonly number[]): string {
  return row
    .map((text, index) =>
      index === row.length - 1 ? text : text + " ".repeat((widths[index] ?? 0) + gap - textWidth(text)),
    )
    .join("");
}

/** Counts characters, not UTF-16 units. */
function textWidth(text: string): number {
  return Array.from(text).length;
}
