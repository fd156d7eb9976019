import { lstatSync } from "node:fs";
import { DraftFile, removePathSync, SkytoolsError } from "@skytools/skytools";

/** The file of one table's fixes, in the current directory. It holds rows: only its owner can read it. It gets its name when it is whole. */
export class FixFile {
  #draft: DraftFile | undefined;

  /** @param destination the local table
   * @throws SkytoolsError REPAIR when there is something else than a file of an earlier run under its name */
  write(line: string, destination: string): void {
    this.#draft ??= openDraft(destination);
    this.#draft.write(line);
  }

  /** Puts it in place of that of an earlier run. Where nothing was written there is none afterwards.
   * @returns its path; undefined when there is none
   * @throws SkytoolsError REPAIR as above */
  publish(destination: string): string | undefined {
    const path = pathFor(destination);
    refuseForeign(path);
    const draft = this.#draft;
    this.#draft = undefined;
    if (draft === undefined) {
      removePathSync(path, { force: true });
      return undefined;
    }
    draft.publish();
    return path;
  }

  /** Takes away what was not published. */
  discard(): void {
    this.#draft?.discard();
    this.#draft = undefined;
  }
}

function openDraft(destination: string): DraftFile {
  const path = pathFor(destination);
  refuseForeign(path);
  return new DraftFile(path, 0o600);
}

function pathFor(destination: string): string {
  return `fix.${destination.replaceAll("/", "%2F")}.sql`;
}

/** Under this name somebody else may have a file, or a link to one, in a directory where several people work. */
function refuseForeign(path: string): void {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) return;
  const what = !there.isFile()
    ? "it is no file"
    : there.uid !== process.geteuid?.()
      ? "it is not ours"
      : undefined;
  if (what === undefined) return;
  throw new SkytoolsError("REPAIR", `${path} is in the way of the fixes: ${what}`, {
    hint: "Move it away, or run repair in a directory of your own.",
  });
}
