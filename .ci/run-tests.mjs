// Lists the compiled tests and hands them to node's test runner: on Node 20 `node --test` takes no globs.
//   node .ci/run-tests.mjs [PATH-PART ...]     only the files whose path contains one of the parts
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

const root = new URL("..", import.meta.url).pathname;
const skippedUnlessNamed = ["/interop/", "/long/"];

function testFiles(dir) {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return testFiles(path);
    return entry.name.endsWith(".test.js") ? [path] : [];
  });
}

const packages = [...readdirSync(join(root, "packages")).map((name) => join("packages", name)), "sql"];
const wanted = process.argv.slice(2);
const files = packages
  .flatMap((dir) => testFiles(join(root, dir, "dist-test")))
  .filter((file) =>
    wanted.length > 0
      ? wanted.some((part) => file.includes(part))
      : !skippedUnlessNamed.some((part) => file.includes(part)),
  )
  .sort();

if (files.length === 0) {
  console.error(`no test matches: ${wanted.join(" ")}`);
  process.exit(1);
}
const reporter = "spec";
const run = spawnSync(
  process.execPath,
  ["--test", "--enable-source-maps", "--test-concurrency=2", `--test-reporter=${reporter}`, ...files],
  { stdio: "inherit", cwd: root },
);
process.exit(run.status ?? 1);
