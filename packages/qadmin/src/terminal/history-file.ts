import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { appendNamedFileSync, setModeSync, writeAtomically } from "@skytools/skytools";

const longest = 1000;
const secret = /passw(or)?d/i;

/** `~/.qadmin_history`: an entry a line, the newest last, readable for its owner only. Each entry is written at once. What looks like
 * a password does not get there. */
export class HistoryFile {
  readonly #path = join(process.env.HOME ?? homedir(), ".qadmin_history");
  readonly #warn: (message: string) => void;
  #isUsable = true;

  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  /** the entries of earlier times, the newest first */
  read(): string[] {
    return this.#attempt(() => {
      const entries = this.#entries();
      if (entries.length > 2 * longest) {
        writeAtomically(this.#path, `${entries.slice(-longest).join("\n")}\n`, { mode: 0o600 });
      } else if (entries.length > 0) {
        setModeSync(this.#path, 0o600);
      }
      return entries.slice(-longest).reverse();
    }, []);
  }

  add(entry: string): void {
    if (secret.test(entry) || !this.#isUsable) return;
    this.#attempt(() => appendNamedFileSync(this.#path, `${entry}\n`, { mode: 0o600 }), undefined);
  }

  #entries(): string[] {
    try {
      return readFileSync(this.#path, "utf8")
        .split("\n")
        .filter((entry) => entry !== "");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  }

  /** A history that cannot be kept is no reason to stop. */
  #attempt<T>(body: () => T, otherwise: T): T {
    try {
      return body();
    } catch (error) {
      this.#isUsable = false;
      this.#warn(`no history is kept: ${error instanceof Error ? error.message : String(error)}`);
      return otherwise;
    }
  }
}
