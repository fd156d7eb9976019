import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { type ConfigError, type Database, type Job, SkytoolsError } from "@skytools/skytools";
import { CsvError, parse } from "csv-parse";
import { NamedQuery } from "../row-query/named-query.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { type KeyRow, typedRows } from "./typed-value.ts";

/** Rows to work on, in blocks. A block shorter than `count` is the last one. */
export interface KeyList extends AsyncDisposable {
  next(count: number): Promise<KeyRow[]>;
  /** part of the list that was read, 0 to 1; undefined when that is not known */
  fractionRead(): number | undefined;
}

/** @throws ConfigError when the configuration names no list, or two */
export function checkKeyList(job: Job): void {
  const { config } = job;
  const isSet = (key: string) => config.getOr(key, "") !== "";
  if (isSet("fileread") && (isSet("dbread") || isSet("sql_get_pk_list"))) {
    throw config.error("fileread", "excludes dbread and sql_get_pk_list");
  }
  if (!isSet("fileread")) {
    for (const key of ["dbread", "sql_get_pk_list"]) {
      if (!isSet(key)) {
        throw config.error(
          key,
          "required key is not set",
          "The rows come from dbread and sql_get_pk_list, or from fileread.",
        );
      }
    }
  }
  if (
    isSet("checkpoint_file") &&
    !isSet("fileread") &&
    !/%\(last\.[^()]+\)s/.test(config.get("sql_get_pk_list"))
  ) {
    throw config.error(
      "sql_get_pk_list",
      "does not tell where to go on, as checkpoint_file needs it",
      "For example: where id > coalesce(%%(last.id)s, 0) order by id",
    );
  }
  for (const key of ["csv_delimiter", "csv_quotechar"]) {
    if (Array.from(config.get(key)).length !== 1)
      throw config.error(key, `"${config.get(key)}" is not one character`);
  }
}

export async function openKeyList(job: Job, start: Checkpoint, parameters: KeyRow): Promise<KeyList> {
  if (job.config.getOr("fileread", "") !== "") return await CsvKeys.open(job, start);
  return await QueryKeys.open(job, start, parameters);
}

/** in bytes: a quote without its end would make one value of the rest of the file */
const longestRecord = 64 << 20;

const cursorName = "data_maint_cur";

/** Rows of a query, through a cursor. */
class QueryKeys implements KeyList {
  readonly #db: Database;

  private constructor(db: Database) {
    this.#db = db;
  }

  static async open(job: Job, start: Checkpoint, parameters: KeyRow): Promise<QueryKeys> {
    const text = job.config.get("sql_get_pk_list").trim().replace(/;$/, "");
    const isHeld = job.config.getBoolean("with_hold");
    const db = await job.databases.get("dbread", { autocommit: isHeld });
    const query = compiledList(job, text);
    const hold = isHeld ? "with hold" : "without hold";
    const values = query?.bind(withLast(query.names, start, parameters)) ?? [];
    await db.query(`declare ${cursorName} no scroll cursor ${hold} for ${query?.sql ?? text}`, values);
    return new QueryKeys(db);
  }

  async next(count: number): Promise<KeyRow[]> {
    return typedRows(await this.#db.perform(`fetch ${count} from ${cursorName}`));
  }

  fractionRead(): undefined {
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#db.isBroken) return;
    if (this.#db.autocommit) await this.#db.execute(`close ${cursorName}`);
    else await this.#db.rollback();
  }
}

/** The list's query where it has parameters; one without is taken as it stands, percent signs and all.
 * @throws ConfigError */
function compiledList(job: Job, text: string): NamedQuery | undefined {
  if (!/%\([^()]+\)s/.test(text)) return undefined;
  try {
    return new NamedQuery(text);
  } catch (error) {
    if (!(error instanceof SkytoolsError)) throw error;
    throw job.config.error("sql_get_pk_list", error.message, error.hint);
  }
}

/** `last.COLUMN` is null until there is a last row. */
function withLast(
  names: readonly string[],
  { last }: Checkpoint,
  parameters: KeyRow,
): ReadonlyMap<string, unknown> {
  const all = new Map<string, unknown>([...parameters].map(([name, { value }]) => [name, value]));
  for (const name of names)
    if (name.startsWith("last.")) all.set(name, last[name.slice("last.".length)] ?? null);
  return all;
}

/** Rows of a CSV file. */
class CsvKeys implements KeyList {
  readonly #rows: AsyncIterator<Record<string, string>>;
  readonly #complain: (message: string) => ConfigError;
  readonly #fraction: () => number;
  readonly #close: () => void;

  private constructor(
    rows: AsyncIterator<Record<string, string>>,
    complain: (message: string) => ConfigError,
    fraction: () => number,
    close: () => void,
  ) {
    this.#rows = rows;
    this.#complain = complain;
    this.#fraction = fraction;
    this.#close = close;
  }

  static async open({ config }: Job, start: Checkpoint): Promise<CsvKeys> {
    const path = config.getFile("fileread");
    const complain = (message: string) => config.error("fileread", `${path}: ${message}`);
    const size = await stat(path).then(
      (found) => found.size,
      (error: NodeJS.ErrnoException) => {
        throw complain(`cannot be read (${error.code})`);
      },
    );
    const file = createReadStream(path);
    const parser = parse({
      bom: true,
      columns: (names: string[]) => {
        const twice = names.find((name, at) => names.indexOf(name) !== at);
        if (twice !== undefined) throw complain(`column "${twice}" stands there twice`);
        return names;
      },
      delimiter: config.get("csv_delimiter"),
      quote: config.get("csv_quotechar"),
      escape: config.get("csv_quotechar"),
      skip_empty_lines: true,
      max_record_size: longestRecord,
    });
    const text = Readable.from(utf8Text(file, complain));
    text.on("error", (error) => parser.destroy(error));
    // Whoever does not read on need not hear of it.
    parser.on("error", () => {});
    const rows: AsyncIterator<Record<string, string>> = text.pipe(parser)[Symbol.asyncIterator]();
    const fraction = () => (size === 0 ? 1 : file.bytesRead / size);
    const list = new CsvKeys(rows, complain, fraction, () => file.destroy());
    for (let row = 0; row < start.rowCount; row++) await list.next(1);
    return list;
  }

  async next(count: number): Promise<KeyRow[]> {
    const rows: KeyRow[] = [];
    try {
      while (rows.length < count) {
        const { done, value } = await this.#rows.next();
        if (done === true) break;
        rows.push(
          new Map(Object.entries(value).map(([name, text]) => [name, { value: text, type: undefined }])),
        );
      }
    } catch (error) {
      if (error instanceof CsvError) throw this.#complain(error.message);
      throw error;
    }
    return rows;
  }

  fractionRead(): number {
    return this.#fraction();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    await this.#rows.return?.();
  }
}

/** @throws ConfigError for what is no UTF-8: a damaged value would be looked for, and nothing be found */
async function* utf8Text(
  file: AsyncIterable<Buffer>,
  complain: (message: string) => ConfigError,
): AsyncGenerator<string, void> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decoded = (bytes?: Buffer) => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch {
      throw complain("it is not UTF-8");
    }
  };
  for await (const bytes of file) yield decoded(bytes);
  yield decoded();
}
