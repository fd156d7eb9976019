import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { crashPoint } from "@skytools/skytools";
import type { Archive } from "../archive/archive.ts";
import { localSource } from "../archive/local-source.ts";
import type { Settings } from "../place/settings.ts";
import { writtenSegments } from "../place/written-segments.ts";
import { runRemote } from "../remote/remote-program.ts";
import { storageTrouble } from "../wal/wal-error.ts";
import { readWalHeader } from "../wal/wal-header.ts";
import { parseWalName } from "../wal/wal-name.ts";
import { finishedSegments } from "./finished-segments.ts";
import { shipPartial } from "./ship-partial.ts";

/** What of the primary's WAL the archive does not have. */
export interface WalRest {
  /** finished segments and histories, in order */
  readonly finished: readonly string[];
  /** the one that is, or was, being written */
  readonly begun: string | undefined;
}

/** Looks at the primary's files: the server may be down. What the archive lacks counts, wherever that is: a segment is missing in the
 * middle too.
 * @throws WalError
 * Source: spec/walmgr.md 5.9 */
export async function findRest(walDirectory: string, archive: Archive): Promise<WalRest> {
  const archived = new Set((await archive.list()).map((file) => file.name));
  const segments = await writtenSegments(walDirectory);
  const begun = segments.at(-1);
  const names = await readdir(walDirectory);
  const histories = names.filter((name) => parseWalName(name)?.kind === "history").sort();
  const finished =
    begun === undefined
      ? []
      : finishedSegments(walDirectory, segments, await sizeOfSegment(join(walDirectory, begun), begun));
  return {
    finished: [...histories, ...finished].filter((name) => !archived.has(name)),
    begun: begun !== undefined && !archived.has(begun) ? begun : undefined,
  };
}

async function sizeOfSegment(path: string, name: string): Promise<number> {
  const source = await localSource(name, path);
  return readWalHeader(source.head)?.segmentSize ?? source.sizeBytes;
}

/** @throws WalError; what was shipped before stays */
export async function shipRest(
  settings: Settings,
  walDirectory: string,
  archive: Archive,
  rest: WalRest,
): Promise<void> {
  const sources = [];
  for (const name of rest.finished) sources.push(await localSource(name, join(walDirectory, name)));
  const { failure } = await archive.store(sources);
  if (failure !== undefined) throw failure;
  crashPoint("sync.finished-stored");
  if (rest.begun === undefined) return;
  const content = await readFile(join(walDirectory, rest.begun));
  if (settings.remote === undefined) {
    await shipPartial(settings, {
      name: rest.begun,
      offset: 0,
      bytes: content.length,
      input: pieces(content),
    });
    return;
  }
  const { code, stderr } = await runRemote(
    settings.remote,
    ["xpartialsync", rest.begun, "0", String(content.length)],
    content,
  );
  if (code !== 0) throw storageTrouble(`${settings.remote.host}: ${stderr.trim().split("\n").at(-1)}`);
}

async function* pieces(content: Buffer): AsyncGenerator<Buffer> {
  yield content;
}
