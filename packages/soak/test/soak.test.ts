import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runProgram, temporaryDirectory } from "@skytools/testbed";
import type { Series } from "#src/recording.js";
import type { SoakReport } from "#src/report.js";

const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));

test("a short run measures daemons, server and directories, and says that it is too short to judge", async () => {
  // Its logs stay for those who want to know why it could not tell.
  await using directory = await temporaryDirectory("soak", "servers");
  const samples = join(directory.path, "samples");
  const args = ["--minutes", "0.05", "--only", "consumers", "--json", "--samples", samples];
  const env = { TMPDIR: directory.path };
  const { code, stdout, stderr } = await runProgram(process.execPath, [main, ...args], { env });
  assert.equal(code, 3, stderr);
  const { verdicts, disturbances } = JSON.parse(stdout) as SoakReport;
  const figuresOf = (name: string) =>
    verdicts.filter(({ owner }) => owner === name).map(({ figure }) => figure);
  for (const daemon of [
    "pgqd",
    "pgqadm ticker",
    "simple_consumer3",
    "simple_serial_consumer3",
    "queue_mover3",
    "table_dispatcher3",
  ]) {
    const figures = figuresOf(daemon);
    for (const figure of ["memory", "heap", "files", "sockets", "handles", "children", "warnings"] as const)
      assert.ok(figures.includes(figure), `${daemon}: ${figure}`);
  }
  for (const owner of ["server 1", "temporary directory", "files beside configurations"])
    assert.ok(figuresOf(owner).length > 0, owner);
  assert.ok(Object.keys(disturbances).length > 0, stdout);
  const series = readFileSync(samples, "utf8").trimEnd().split("\n");
  assert.deepEqual(
    series.map((line) => {
      const { owner, figure } = JSON.parse(line) as Series;
      return [owner, figure];
    }),
    verdicts.map(({ owner, figure }) => [owner, figure]),
  );
});

test("a wrong option is told with the usage", async () => {
  for (const [args, message] of [
    [["--minutes", "many"], /--minutes must be a positive number: many\nusage: /],
    [["--only", "nobody"], /--only: no part "nobody"; there are consumers, .*\nusage: /],
  ] as const) {
    const { code, stderr } = await runProgram(process.execPath, [main, ...args]);
    assert.equal(code, 2);
    assert.match(stderr, message);
  }
});
