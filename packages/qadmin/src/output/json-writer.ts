import type { RawRow, TextColumn } from "@skytools/skytools";
import type { ResultWriter } from "./printer.ts";

type ToJson = (text: string) => string;

const asString: ToJson = (text) => JSON.stringify(text);
/** NaN and Infinity are no numbers in JSON. */
const asNumber: ToJson = (text) => (/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? text : JSON.stringify(text));

/** Types that JSON has a form for, by oid; everything else is the server's text. */
const forms: ReadonlyMap<number, ToJson> = new Map([
  [16, (text: string) => (text === "t" ? "true" : "false")],
  ...[20, 21, 23, 26, 700, 701, 1700].map((oid) => [oid, asNumber] as const),
  ...[114, 3802].map((oid) => [oid, (text: string) => text.replaceAll("\n", " ")] as const),
]);

/** A result as one JSON object on a line, written row by row: `{"title": ..., "rows": [...], "status": ...}`. One that breaks off has
 * `"isComplete": false`. */
export class JsonWriter implements ResultWriter {
  readonly #write: (text: string) => void;
  readonly #title: string | undefined;
  #columns: { readonly key: string; readonly form: ToJson }[] | undefined;
  #rows = 0;
  #copied = "";

  constructor(write: (text: string) => void, title: string | undefined) {
    this.#write = write;
    this.#title = title;
  }

  onColumns(columns: readonly TextColumn[]): void {
    if (this.#columns !== undefined) this.#finish("");
    const names = columns.map(({ name }) => name);
    this.#columns = columns.map(({ name, typeOid }, at) => ({
      key: JSON.stringify(names.indexOf(name) === at ? name : `${name}_${at + 1}`),
      form: forms.get(typeOid) ?? asString,
    }));
  }

  onRow(row: RawRow): void {
    const members = row.map((value, at) => {
      const { key, form } = this.#columns![at]!;
      return `${key}:${value === null ? "null" : form(value)}`;
    });
    this.#write(`${this.#rows++ === 0 ? this.#opening() : ","}{${members.join(",")}}`);
  }

  onCopyData(chunk: Buffer): void {
    this.#copied += chunk.toString();
    const lines = this.#copied.split("\n");
    this.#copied = lines.pop()!;
    for (const line of lines) this.#write(`${JSON.stringify({ copied: line })}\n`);
  }

  end(tag?: string): void {
    const status = tag === undefined || tag === "" ? "" : `"status":${JSON.stringify(tag)}`;
    if (this.#columns !== undefined) this.#finish(status);
    else if (status !== "") this.#write(`{${status}}\n`);
  }

  abandon(): void {
    if (this.#rows > 0) this.#finish('"isComplete":false');
  }

  #opening(): string {
    return `{${this.#title === undefined ? "" : `"title":${JSON.stringify(this.#title)},`}"rows":[`;
  }

  #finish(end: string): void {
    this.#write(`${this.#rows === 0 ? this.#opening() : ""}]${end === "" ? "" : `,${end}`}}\n`);
    this.#columns = undefined;
    this.#rows = 0;
  }
}
