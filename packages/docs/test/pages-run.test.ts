import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { commandPath, freePort, startCluster, startProgram, temporaryDirectory } from "@skytools/testbed";
import { hasCommands, pageScript } from "./page-script.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const doc = join(root, "doc");
const runnable = ["tutorial", "howto"].flatMap((folder) =>
  readdirSync(join(doc, folder))
    .map((file) => join(folder, file))
    .filter((page) => hasCommands(join(doc, page))),
);

const missing = ["psql", "curl"].filter((name) => !hasProgram(name));
const skip = missing.length > 0 && `needs ${missing.join(" and ")}`;

describe("the commands of the documentation, pasted one by one", { concurrency: 2, skip }, () => {
  // Where the servers' account can reach them: PostgreSQL does not run as root.
  const programs = join(dirname(commandPath("pgqd")), "..", "..", "..", "node_modules", ".bin");

  for (const page of runnable) {
    it(`${page} works`, async () => {
      await using cluster = await startCluster();
      await using directory = await temporaryDirectory("docs", "servers");
      // As after npm install of the libraries.
      symlinkSync(join(programs, ".."), join(directory.path, "node_modules"));
      writeFileSync(join(directory.path, "page.sh"), pageScript(join(doc, page)));
      const env = {
        PATH: [programs, cluster.binDir, dirname(process.execPath), process.env.PATH].join(delimiter),
        PGHOST: cluster.socketDir,
        PGPORT: String(cluster.port),
        PGUSER: "postgres",
        // Only the name of a socket in the page's own directory.
        TUTORIAL_PORT: "1",
        MONITOR_PORT: String(await freePort()),
      };
      await using shell = startProgram("timeout", ["400", "bash", "page.sh"], {
        cwd: directory.path,
        env,
        asServerAccount: true,
      });
      const { code } = await shell.exit;
      if (code !== 0) assert.fail(shell.outputTail() + logsIn(directory.path));
    });
  }
});

/** What servers and daemons of a page have said. */
function logsIn(directory: string): string {
  const names = readdirSync(directory).filter((name) => name.endsWith(".log"));
  return names
    .map((name) => `\n-- ${name}\n${readFileSync(join(directory, name), "utf8").slice(-2000)}`)
    .join("");
}

function hasProgram(name: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, name)));
}
