import { parseHistory } from "../wal/timeline-history.ts";
import { foreignFile } from "../wal/wal-error.ts";
import { checkSegment } from "../wal/wal-header.ts";
import { parseWalName } from "../wal/wal-name.ts";
import type { ArchiveIdentity } from "./archive-identity.ts";

/** Small text files are looked at as a whole. */
export const headBytes = 64 * 1024;

/** Checks that a file is what its name says.
 * @param head its first bytes, up to {@link headBytes}
 * @returns whose it is, where the file says that
 * @throws WalError, exit code 44 */
export function checkWalFile(name: string, head: Buffer, sizeBytes: number): ArchiveIdentity | undefined {
  const parsed = parseWalName(name);
  if (parsed === undefined) throw foreignFile(`"${name.slice(0, 80)}" is not the name of a WAL file`);
  switch (parsed.kind) {
    case "segment":
    case "partial": {
      const { systemIdentifier, segmentSize } = checkSegment(parsed.segment, head, sizeBytes);
      return { systemIdentifier, segmentSize };
    }
    case "history":
      checkText(name, head, sizeBytes);
      parseHistory(parsed.timeline, head.toString("utf8"));
      return undefined;
    case "backup":
      checkText(name, head, sizeBytes);
      if (!head.includes("START WAL LOCATION:")) throw foreignFile(`${name} is not a backup history file`);
      return undefined;
  }
}

function checkText(name: string, head: Buffer, sizeBytes: number): void {
  if (sizeBytes === 0) throw foreignFile(`${name} is empty`);
  if (sizeBytes > head.length) throw foreignFile(`${name} is ${sizeBytes} bytes long, too much for its kind`);
}
