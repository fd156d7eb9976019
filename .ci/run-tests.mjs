// Lists the compiled tests and hands them to node's test runner: on Node 20 `node --test` takes no globs.
//   node .ci/run-tests.mjs [PATH-PART ...]     only the files whose path contains one of the parts; tests in a directory
//                                              interop or sweep only when a part names it
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { runDirectory } from "../packages/testbed/dist/index.js";

const propertySettings = new URL("../packages/testbed/dist/property-settings.js", import.meta.url);
const root = new URL("..", import.meta.url).pathname;
const runOnlyWhenNamed = ["/interop/", "/sweep/"];

// The compiler leaves what it has made of a file that is gone.
const sourceOf = (compiled) => compiled.replace("/dist-test/", "/test/").replace(/\.js$/, ".ts");

function testFiles(dir) {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return testFiles(path);
    return entry.name.endsWith(".test.js") && existsSync(sourceOf(path)) ? [path] : [];
  });
}

const packages = [
  ...readdirSync(join(root, "packages")).map((name) => join("packages", name)),
  "scripts",
  "sql",
];
const wanted = process.argv.slice(2);
const isNamed = (dir) => wanted.some((part) => part.includes(dir.slice(1, -1)));
const isWanted = (file) =>
  (wanted.length === 0 || wanted.some((part) => file.includes(part))) &&
  runOnlyWhenNamed.every((dir) => !file.includes(dir) || isNamed(dir));
const files = packages.flatMap((dir) => testFiles(join(root, dir, "dist-test"))).filter(isWanted);

if (files.length === 0) {
  console.error(`no compiled test matches: ${wanted.join(" ")}`);
  process.exit(1);
}
const run = spawnSync(
  process.execPath,
  [
    "--test",
    "--enable-source-maps",
    `--import=${propertySettings}`,
    "--test-concurrency=2",
    "--test-reporter=spec",
    ...files,
  ],
  { stdio: "inherit", cwd: root, env: { ...process.env, SKYTOOLS_TESTBED_SHARED: runDirectory() } },
);
process.exit(run.status ?? 1);
