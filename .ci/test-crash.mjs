// Kills at every crash point of the code: runs the tests that do, and notes where processes really died. A test kills, starts
// again, and compares with what would have been without the kill; so a point is well when the tests that died there pass. A test
// file that does not end in time is ended, and has failed.
//   node .ci/test-crash.mjs [--json] [PATH-PART ...]   only the test files whose path contains one of the parts: then points
//                                                      that were not reached are no failure
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runDirectory } from "../packages/testbed/dist/index.js";
import { crashPoints, scenarios, testsOf } from "./crash-points.mjs";

const root = new URL("..", import.meta.url).pathname;
const isJson = process.argv.includes("--json");
const wanted = process.argv.slice(2).filter((argument) => argument !== "--json");
const isWanted = (file) => wanted.length === 0 || wanted.some((part) => file.includes(part));
const compiled = (file) => file.replace("/test/", "/dist-test/").replace(/\.ts$/, ".js");
/** A fixture may name points for the tests that call it. */
const files = [...new Set([...scenarios().values()].flat().flatMap((file) => testsOf(file)))].filter(
  isWanted,
);

// The servers' account writes into it too.
const records = mkdtempSync(join(tmpdir(), "crash-points-"));
chmodSync(records, 0o711);
const running = new Set();
process.on("exit", () => {
  for (const child of running) child.kill();
  rmSync(records, { recursive: true, force: true });
});
for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
const env = { ...process.env, SKYTOOLS_TESTBED_SHARED: runDirectory() };

/** Longest time for one test file: ten times what the longest takes on two idle cores. */
const fileLimitMs = 40 * 60_000;

async function runFile(file, nr) {
  const record = join(records, String(nr));
  writeFileSync(record, "");
  chmodSync(record, 0o666);
  const started = performance.now();
  const child = spawn(
    process.execPath,
    ["--test", "--enable-source-maps", "--test-reporter=spec", join(root, compiled(file))],
    {
      cwd: root,
      env: { ...env, SKYTOOLS_CRASH_RECORD: record },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: fileLimitMs,
    },
  );
  running.add(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text) => (output += text));
  const [code] = await once(child, "close");
  running.delete(child);
  const kills = readFileSync(record, "utf8").split("\n").filter(Boolean);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.error(`${code === 0 ? "ok    " : "FAILED"} ${file}: ${kills.length} kills, ${seconds} s`);
  if (code !== 0) console.error(output);
  return { file, isPassed: code === 0, kills };
}

const results = [];
let next = 0;
const lane = async () => {
  while (next < files.length) {
    const nr = next++;
    results.push(await runFile(files[nr], nr));
  }
};
await Promise.all([lane(), lane()]);

const isAt = (point, name) => (point.endsWith("*") ? name.startsWith(point.slice(0, -1)) : name === point);
const matrix = crashPoints().map(({ name, path, line }) => {
  const reached = results.filter(({ kills }) => kills.some((kill) => isAt(name, kill)));
  const kills = reached.flatMap((result) => result.kills).filter((kill) => isAt(name, kill)).length;
  const failed = reached.filter(({ isPassed }) => !isPassed).map(({ file }) => file);
  const outcome = kills === 0 ? "not reached" : failed.length === 0 ? "equal" : "failed";
  return {
    point: name,
    place: `${path}:${line}`,
    kills,
    tests: reached.map(({ file }) => file),
    outcome,
    failed,
  };
});
const failedFiles = results.filter(({ isPassed }) => !isPassed).map(({ file }) => file);
const unreached = matrix.filter(({ outcome }) => outcome === "not reached");
if (isJson) console.log(JSON.stringify({ matrix, failedFiles }, undefined, 2));
else {
  console.log(`${"point".padEnd(30)} kills  outcome`);
  for (const { point, kills, outcome, failed } of matrix)
    console.log(`${point.padEnd(30)} ${String(kills).padStart(5)}  ${[outcome, ...failed].join(" ")}`);
  const kills = matrix.reduce((sum, row) => sum + row.kills, 0);
  console.log(
    `${matrix.length} points, ${kills} kills, ${failedFiles.length} of ${files.length} test files failed`,
  );
}
process.exit(failedFiles.length > 0 || (wanted.length === 0 && unreached.length > 0) ? 1 : 0);
