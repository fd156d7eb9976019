import { fstatSync } from "node:fs";

/** Whether a descriptor leads straight to systemd's journal. A program whose output was redirected since the variable was
 * set finds out that it is not meant.
 * Source: systemd.exec(5), `$JOURNAL_STREAM` is `<device>:<inode>` of the stream */
export function isJournalStream(descriptor: number, env: NodeJS.ProcessEnv): boolean {
  const named = env.JOURNAL_STREAM;
  if (named === undefined || named === "") return false;
  try {
    const { dev, ino } = fstatSync(descriptor, { bigint: true });
    return named === `${dev}:${ino}`;
  } catch {
    return false;
  }
}
