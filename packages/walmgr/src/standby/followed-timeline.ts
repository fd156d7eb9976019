import type { Archive } from "../archive/archive.ts";
import { readControlFile } from "../wal/control-file.ts";
import { parseHistory, type TimelineHistory } from "../wal/timeline-history.ts";
import { historyName, parseWalName } from "../wal/wal-name.ts";

/** The timeline that a standby replays into, with its ancestors.
 * @param wanted its `recovery_target_timeline`: a number, `latest` or `current`
 * @throws WalError
 * Source: PostgreSQL manual, "Timelines" */
export async function followedHistory(
  archive: Archive,
  dataDirectory: string,
  wanted: string,
): Promise<TimelineHistory> {
  const own = readControlFile(dataDirectory).timeline;
  const timeline =
    wanted === "latest" ? await newestAfter(archive, own) : wanted === "current" ? own : Number(wanted);
  let text = "";
  await archive.read(historyName(timeline), {}, async (chunk) => {
    text += chunk.toString("utf8");
  });
  const history = parseHistory(timeline, text);
  const isOwn = timeline === own || history.ancestors.some((each) => each.timeline === own);
  return isOwn ? history : { timeline: own, ancestors: [] };
}

/** As the server looks for it: the next number, as long as there is a history of it. */
async function newestAfter(archive: Archive, own: number): Promise<number> {
  const known = new Set<number>();
  for (const { name } of await archive.list()) {
    const parsed = parseWalName(name);
    if (parsed?.kind === "history") known.add(parsed.timeline);
  }
  let timeline = own;
  while (known.has(timeline + 1)) timeline += 1;
  return timeline;
}
