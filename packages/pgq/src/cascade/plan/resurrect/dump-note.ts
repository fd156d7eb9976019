import { type Database, SkytoolsError, urlEncodeRow } from "@skytools/skytools";
import { getNodeInfo, type NodeCall, setNodeAttributes } from "../../pgq-node-api.ts";
import type { DumpFile } from "./dump-file.ts";

/* Once the lost events are removed from the queue, only the dump file has them: attributes of the node say which file that is, until
 * the resurrection has come to its end. */

const countKey = "lost_events";
const pathKey = "lost_events_file";
const sha256Key = "lost_events_sha256";

/** Works within the caller's transaction. @returns undefined when there is no note
 * @throws SkytoolsError DUMP_FILE for a note that is none */
export async function readDumpNote(db: Database, queueName: string): Promise<DumpFile | undefined> {
  const attributes = (await getNodeInfo(db, queueName))?.attributes;
  const [count, path, sha256] = [countKey, pathKey, sha256Key].map((key) => attributes?.get(key));
  if (count == null || path == null || sha256 == null) return undefined;
  if (!/^\d{1,15}$/.test(count))
    throw new SkytoolsError(
      "DUMP_FILE",
      `attribute ${countKey} of the node is "${count}", which is no number`,
    );
  return { path, eventCount: Number(count), sha256 };
}

/** Works within the caller's transaction. @param file undefined: takes the note away */
export async function writeDumpNote(
  db: Database,
  call: NodeCall,
  queueName: string,
  file: DumpFile | undefined,
): Promise<void> {
  const attributes = new Map((await getNodeInfo(db, queueName))!.attributes);
  for (const key of [countKey, pathKey, sha256Key]) attributes.delete(key);
  if (file !== undefined) {
    attributes.set(countKey, String(file.eventCount));
    attributes.set(pathKey, file.path);
    attributes.set(sha256Key, file.sha256);
  }
  await setNodeAttributes(db, call, queueName, attributes.size === 0 ? null : urlEncodeRow(attributes));
}
