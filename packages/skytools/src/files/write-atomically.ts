import { UsageError } from "../errors.ts";
import { removePathSync } from "./change-files.ts";
import { DraftFile } from "./draft-file.ts";
import { linkFileSync } from "./take-name.ts";

export interface WriteAtomicallyOptions {
  /** keeps the old file under its name with this added, in place of an older backup */
  readonly backupExtension?: string;
  /** permissions; default 0o666 as the umask allows */
  readonly mode?: number;
}

/** Gives a file new content: after a crash at any moment, of the process or the machine, it has the old or the new one, whole. The
 * content is written to `<path>.new` first.
 * @throws UsageError for an extension with a slash, the system's error
 * Source: spec/framework.md 7.7 (write_atomic) */
export function writeAtomically(
  path: string,
  content: string | Uint8Array,
  { backupExtension, mode = 0o666 }: WriteAtomicallyOptions = {},
): void {
  if (backupExtension?.includes("/")) throw new UsageError("the extension of a backup cannot have a slash");
  const draft = new DraftFile(path, mode);
  try {
    draft.write(content);
  } catch (error) {
    draft.discard();
    throw error;
  }
  draft.publish(() => {
    if (backupExtension !== undefined && backupExtension !== "")
      keepBackup(path, `${path}${backupExtension}`);
  });
}

function keepBackup(path: string, backup: string): void {
  removePathSync(backup, { force: true });
  try {
    linkFileSync(path, backup);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
