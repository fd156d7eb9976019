import { readdirSync } from "node:fs";
import { join } from "node:path";
import { copyNamedFileSync, createDirectorySync, removePath, renameFileSync } from "@skytools/skytools";
import { ManifestCheck } from "../backup/read-set.ts";
import type { BackupSet } from "../backup/set-info.ts";
import type { SetStore } from "../backup/set-store.ts";
import type { TarSink } from "../backup/tar-reader.ts";
import { writeTree } from "../backup/write-tree.ts";
import { WalError } from "../wal/wal-error.ts";
import { isIncremental, plainName, rebuildFile, settleLabel } from "./combine-sets.ts";

/** Writes a set, and what it is based on, as a plain data directory. Every file is compared with the manifest on its way.
 * @param sets where they are read from
 * @param chain full set first
 * @param placeOf where a part goes; the directories exist and are empty
 * @param scratch a directory for parts of older sets
 * @throws WalError when a set is damaged */
export async function unpackChain(
  sets: SetStore,
  chain: readonly BackupSet[],
  placeOf: (oid: string | undefined) => string,
  scratch: string,
): Promise<void> {
  const wanted = chain.at(-1)!;
  if (chain.length === 1) {
    await unpack(sets, wanted, placeOf);
    return;
  }
  const places = chain.map((set, index) => ({
    set,
    placeOf: (oid: string | undefined) => join(scratch, String(index), oid ?? "base"),
  }));
  for (const each of places) {
    for (const oid of partsOf(each.set))
      createDirectorySync(each.placeOf(oid), { recursive: true, mode: 0o700 });
    await unpack(sets, each.set, each.placeOf);
  }
  const newestFirst = places.toReversed();
  for (const oid of partsOf(wanted)) {
    const directories = newestFirst
      .filter(({ set }) => partsOf(set).includes(oid))
      .map((each) => each.placeOf(oid));
    combine(directories, placeOf(oid));
  }
  settleLabel(placeOf(undefined));
  await removePath(scratch, { recursive: true, force: true });
}

function partsOf(set: BackupSet): (string | undefined)[] {
  return [undefined, ...set.info.tablespaces.map((each) => each.oid)];
}

async function unpack(
  sets: SetStore,
  set: BackupSet,
  placeOf: (oid: string | undefined) => string,
): Promise<void> {
  // Sets of the original have no manifest.
  const check = set.info.serverVersion === 0 ? undefined : new ManifestCheck(await sets.manifest(set));
  await sets.read(set, (oid) => {
    const tree =
      oid === undefined ? writeTree(placeOf(oid)) : tablespaceOnly(writeTree(placeOf(oid)), set.name);
    return check === undefined ? tree : check.sink(oid, tree);
  });
  const problem = check?.finish()[0];
  if (problem !== undefined) throw new WalError(`backup set ${set.name} is damaged: ${problem}`);
}

/** Lets what a tablespace has pass, and nothing else: its place is one that the set names, and what the set's host put there
 * could mean something to others. Source: PostgreSQL manual, "Database File Layout" */
function tablespaceOnly(tree: TarSink, set: string): TarSink {
  return {
    ...tree,
    begin: (entry) => {
      if (!/^PG_[\d.]+_\d+(?:\/|$)/.test(entry.path) && entry.path !== "")
        throw new WalError(`backup set ${set} has ${entry.path} in a tablespace, where it does not belong`);
      tree.begin(entry);
    },
  };
}

/** @param directories of one part, newest first: the newest one decides which files there are */
function combine(directories: readonly string[], destination: string): void {
  const newest = directories[0]!;
  const walk = (below: string): void => {
    for (const entry of readdirSync(join(newest, below), { withFileTypes: true })) {
      const path = join(below, entry.name);
      if (entry.isDirectory()) {
        createDirectorySync(join(destination, path), { mode: 0o700 });
        walk(path);
      } else if (isIncremental(path)) rebuildFile(directories, path, join(destination, plainName(path)));
      else renameInto(join(newest, path), join(destination, path));
    }
  };
  walk("");
}

function renameInto(from: string, to: string): void {
  try {
    renameFileSync(from, to);
  } catch {
    // A tablespace may be on another volume.
    copyNamedFileSync(from, to);
  }
}
