import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Cluster, runProgram } from "@skytools/testbed";

const program = ["/usr/bin/pgbackrest", "/usr/local/bin/pgbackrest"].find((path) => existsSync(path));

/** A pgBackRest repository for one cluster, without compression, in a directory of its own. */
export interface PgBackRest {
  /** value of archive_command */
  readonly archiveCommand: string;
  /** Takes all WAL out of it. */
  empty(): void;
}

/** @param root an empty directory of the servers' account
 * @param isAsync segments are stored ahead, by a process in the background
 * @returns undefined when pgBackRest is not installed, or does not know the server's release */
export async function pgBackRest(
  root: string,
  cluster: Cluster,
  isAsync: boolean,
): Promise<PgBackRest | undefined> {
  if (program === undefined) return undefined;
  const file = `${root}.conf`;
  const settings = {
    "repo1-path": join(root, "repo"),
    "spool-path": join(root, "spool"),
    "lock-path": join(root, "lock"),
    "compress-type": "none",
    "log-level-file": "off",
    "log-level-console": "off",
    "archive-async": isAsync ? "y" : "n",
    "process-max": "2",
    "pg1-path": cluster.dataDirectory,
    "pg1-socket-path": cluster.socketDir,
    "pg1-user": "postgres",
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`);
  const isOfStanza = (line: string) => line.startsWith("pg1-");
  const global = lines.filter((line) => !isOfStanza(line)).join("");
  writeFileSync(file, `[global]\n${global}[main]\n${lines.filter(isOfStanza).join("")}`);
  const common = [`--config=${file}`, "--stanza=main"];
  const create = await runProgram(program, [...common, "stanza-create"], { asServerAccount: true });
  if (create.code !== 0) return undefined;
  return {
    archiveCommand: `${program} ${common.join(" ")} archive-push "%p"`,
    empty: () => {
      for (const directory of [join(root, "repo/archive/main"), join(root, "spool/archive/main")]) {
        if (!existsSync(directory)) continue;
        for (const entry of readdirSync(directory, { withFileTypes: true })) {
          if (entry.isDirectory()) rmSync(join(directory, entry.name), { recursive: true });
        }
      }
    },
  };
}
