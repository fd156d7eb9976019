import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Cluster, runProgram, startCluster, temporaryDirectory } from "@skytools/testbed";
import { timed } from "../measure.ts";
import { pgBackRest } from "../peer/pgbackrest.ts";
import type { BenchOptions, Contest, Contestant, Sample, Scenario } from "../scenario.ts";

/** Debian's server: its pg_basebackup is on the machine, and Debian's pgBackRest knows it. */
const debianBinDir = "/usr/lib/postgresql/15/bin";

/** Storing finished segments as the server would have it done, and base backups. */
export const walmgr: Scenario = {
  name: "walmgr",
  summary: "segments archived a second against cp and pgBackRest; base backup against pg_basebackup",
  async *contests(options: BenchOptions): AsyncIterable<Contest> {
    await using directory = await temporaryDirectory("walmgr", "servers");
    await using cluster = await startCluster({
      ...(existsSync(debianBinDir) ? { binDir: debianBinDir } : {}),
      durable: true,
      settings: { archive_mode: "on", log_statement: "none", max_wal_size: "8GB" },
    });
    const stage = await setUp(cluster, directory.path);
    yield await pushContest(stage, Math.max(4, Math.round(64 * options.scale)));
    const backup = await backupContest(stage, Math.max(16, Math.round(1000 * options.scale)));
    if (backup !== undefined) yield backup;
  },
};

interface Stage {
  readonly cluster: Cluster;
  readonly root: string;
  /** walmgr's configuration file */
  readonly file: string;
  /** walmgr's value of archive_command */
  readonly archiveCommand: string;
}

/** Segments pile up: the bench is the archiver. */
async function setUp(cluster: Cluster, root: string): Promise<Stage> {
  const file = join(root, "walmgr.ini");
  const lines = [
    `master_db = ${cluster.connstr()}`,
    `master_data = ${cluster.dataDirectory}`,
    `walmgr_data = ${join(root, "archive")}`,
  ];
  writeFileSync(file, `[walmgr]\n${lines.join("\n")}\n`);
  await asOwner("walmgr", [file, "setup", "--no-proof"]);
  const rows = await cluster.query<{ setting: string }>(
    "select setting from pg_file_settings where name = 'archive_command'",
  );
  await cluster.query("alter system set archive_command = ''");
  await cluster.reload();
  return { cluster, root, file, archiveCommand: rows.at(-1)!.setting };
}

async function asOwner(program: string, args: readonly string[], cwd = "/"): Promise<void> {
  const run = await runProgram(program, args, { asServerAccount: true, cwd });
  if (run.code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${run.code}: ${run.stderr}`);
}

async function pushContest({ cluster, root, archiveCommand }: Stage, count: number): Promise<Contest> {
  const names = await makeSegments(cluster, count);
  const contestant = (name: string, command: string, empty: () => void): Contestant => ({
    name,
    run: () => push(cluster, names, command, empty),
  });
  const plain = join(root, "plain");
  await asOwner("mkdir", [plain]);
  const contestants = [
    contestant("cp and sync", `cp "%p" "${plain}/%f" && sync "${plain}/%f" "${plain}"`, () => clear(plain)),
    contestant("walmgr", archiveCommand, () => clear(join(root, "archive/logs.complete"))),
  ];
  for (const way of ["sync", "async"]) {
    const directory = join(root, `pgbackrest-${way}`);
    await asOwner("mkdir", [directory]);
    const peer = await pgBackRest(directory, cluster, way === "async");
    if (peer !== undefined)
      contestants.push(contestant(`pgBackRest ${way}`, peer.archiveCommand, () => peer.empty()));
  }
  return {
    title: `${count} segments of 16 MB, a call of archive_command for each`,
    unit: "segments",
    baseline: contestants.some((each) => each.name === "pgBackRest sync") ? "pgBackRest sync" : "cp and sync",
    contestants,
  };
}

async function makeSegments(cluster: Cluster, count: number): Promise<string[]> {
  const waiting = () =>
    readdirSync(statusDirectory(cluster)).filter((name) => /^[0-9A-F]{24}\.ready$/.test(name));
  await cluster.query("create table filler (v text)");
  while (waiting().length < count) {
    await cluster.query(
      "insert into filler select repeat(md5(random()::text), 60) from generate_series(1, 8000)",
    );
    await cluster.query("select pg_switch_wal()");
  }
  const names = waiting()
    .sort()
    .map((name) => name.slice(0, 24));
  for (const name of names.slice(count)) rmSync(join(statusDirectory(cluster), `${name}.ready`));
  return names.slice(0, count);
}

function statusDirectory(cluster: Cluster): string {
  return join(cluster.dataDirectory, "pg_wal/archive_status");
}

/** What the server's archiver does, one file after the other. */
async function push(
  cluster: Cluster,
  names: readonly string[],
  command: string,
  empty: () => void,
): Promise<Sample> {
  const status = statusDirectory(cluster);
  empty();
  for (const file of readdirSync(status)) if (/\.(done|walmgr)$/.test(file)) rmSync(join(status, file));
  await asOwner(
    "touch",
    names.map((name) => join(status, `${name}.ready`)),
  );
  return timed(names.length, async () => {
    for (const name of names) {
      const text = command.replace(/%([pf%])/g, (_all, what: string) =>
        what === "p" ? `pg_wal/${name}` : what === "f" ? name : "%",
      );
      await asOwner("/bin/sh", ["-c", text], cluster.dataDirectory);
      rmSync(join(status, `${name}.ready`));
    }
  });
}

/** The owner of the archive stays known. */
function clear(directory: string): void {
  for (const name of readdirSync(directory)) if (name !== "archive.json") rmSync(join(directory, name));
}

/** @returns undefined when there is no pg_basebackup to compare with */
async function backupContest(
  { cluster, root, file }: Stage,
  megabytes: number,
): Promise<Contest | undefined> {
  const program = join(cluster.binDir, "pg_basebackup");
  if (!existsSync(program)) return undefined;
  await cluster.query("drop table filler");
  await cluster.query("create table big (id int, v text)");
  await cluster.query(
    `insert into big select i, repeat(md5(i::text), 30) from generate_series(1, ${megabytes * 1000}) i`,
  );
  await cluster.query("checkpoint");
  const [size] = await cluster.query<{ mb: number }>(
    "select (sum(pg_database_size(oid)) / 1e6)::float8 as mb from pg_database",
  );
  const plain = join(root, "basebackup");
  const run = (work: () => Promise<void>, target: string) => {
    rmSync(target, { recursive: true, force: true });
    return timed(size!.mb, work);
  };
  const args = ["-D", plain, "-h", cluster.socketDir, "-U", "postgres", "-c", "fast", "-X", "stream"];
  return {
    title: `base backup of ${size!.mb.toFixed(0)} MB`,
    unit: "MB",
    baseline: "pg_basebackup",
    contestants: [
      { name: "pg_basebackup", run: () => run(() => asOwner(program, args), plain) },
      {
        name: "walmgr",
        run: () => run(() => asOwner("walmgr", [file, "backup"]), join(root, "archive/data.master")),
      },
    ],
  };
}
