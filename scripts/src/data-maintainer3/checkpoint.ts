import { readFileSync } from "node:fs";
import { type Job, removePathSync, toJson, writeAtomically } from "@skytools/skytools";
import { type KeyRow, textOf } from "./typed-value.ts";

/** How far a run got. */
export interface Checkpoint {
  /** rows that are done */
  readonly rowCount: number;
  /** text of the columns of the last of them; empty at first */
  readonly last: Readonly<Record<string, string | null>>;
}

const beginning: Checkpoint = { rowCount: 0, last: {} };

/** The file that a run's progress survives in, if the configuration names one. */
export class CheckpointFile {
  readonly #path: string | undefined;
  readonly #job: Job;

  constructor(job: Job) {
    this.#job = job;
    this.#path =
      job.config.getOr("checkpoint_file", "") === "" ? undefined : job.config.getFile("checkpoint_file");
  }

  /** @throws ConfigError for a file that holds something else */
  read(): Checkpoint {
    if (this.#path === undefined) return beginning;
    let text: string;
    try {
      text = readFileSync(this.#path, "utf8");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return beginning;
      throw this.#error(String(error));
    }
    const checkpoint = parsed(text);
    if (checkpoint === undefined) throw this.#error("holds no checkpoint");
    this.#job.log.info(`going on after ${checkpoint.rowCount} rows, as ${this.#path} says`);
    return checkpoint;
  }

  write(rowCount: number, row: KeyRow): void {
    if (this.#path === undefined) return;
    const texts = [...row].map(([name, { value }]) => [name, textOf(value)]);
    writeAtomically(this.#path, `${toJson({ rowCount, last: Object.fromEntries(texts) })}\n`);
  }

  /** The next run begins at the beginning. */
  remove(): void {
    if (this.#path !== undefined) removePathSync(this.#path, { force: true });
  }

  #error(message: string) {
    return this.#job.config.error(
      "checkpoint_file",
      `${this.#path}: ${message}`,
      "Remove the file to begin at the beginning.",
    );
  }
}

function parsed(text: string): Checkpoint | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { rowCount, last } = value as Record<string, unknown>;
  if (!Number.isSafeInteger(rowCount) || typeof last !== "object" || last === null) return undefined;
  return { rowCount: rowCount as number, last: last as Checkpoint["last"] };
}
