import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { removePath, writeNamedFile } from "@skytools/skytools";
import { errorCode } from "../wal/wal-error.ts";
import { byArchiveOrder, parseWalName } from "../wal/wal-name.ts";

const markerSuffix = ".walmgr";

/** The server's own list of files that wait to be archived, `pg_wal/archive_status`. A file that has a `.ready` there is
 * finished, so one call can store all of them; a marker beside it tells the server's next calls, which then need no
 * program, that this was done. Base backups leave this directory out.
 * Source: PostgreSQL manual, "Setting Up WAL Archiving" */
export class ArchiveStatus {
  readonly #directory: string;

  constructor(walDirectory: string) {
    this.#directory = join(walDirectory, "archive_status");
  }

  /** Names that wait, in the order in which the server offers them. */
  async waiting(): Promise<string[]> {
    return (await this.#names(".ready")).sort(byArchiveOrder);
  }

  async #names(suffix: string): Promise<string[]> {
    let names: string[];
    try {
      names = await readdir(this.#directory);
    } catch (error) {
      if (errorCode(error) === "ENOENT") return [];
      throw error;
    }
    return names
      .filter((name) => name.endsWith(suffix))
      .map((name) => name.slice(0, -suffix.length))
      .filter((name) => parseWalName(name) !== undefined);
  }

  /** Notes that a file is in the archive for good. */
  async mark(name: string): Promise<void> {
    await writeNamedFile(join(this.#directory, name + markerSuffix), "");
  }

  /** Removes markers of files that the server offers no more. */
  async forgetAnswered(waiting: readonly string[]): Promise<void> {
    for (const name of await this.#names(markerSuffix)) {
      if (!waiting.includes(name))
        await removePath(join(this.#directory, name + markerSuffix), { force: true });
    }
  }
}

/** The value of `archive_command`: a test for the marker, which is cheap, before the program is started. A segment that
 * was written again after the marker is offered to the program.
 * @param command how the program is called, quoted for the shell; %p and %f follow it */
export function archiveCommand(command: string): string {
  const escaped = command.replaceAll("%", "%%");
  return `[ "pg_wal/archive_status/%f${markerSuffix}" -nt "%p" ] || exec ${escaped} xarchive "%p" "%f"`;
}
