// Runs the compiled tests that depend on the server on PostgreSQL releases other than the default one.
//   npm run test:versions -- [MAJOR ...] [-- PATH-PART ...]     default: all of them, all such tests
// Exit code: 0 all passed; 1 a test failed; 3 nothing failed, but a release could not be had and was left out.
import { spawnSync } from "node:child_process";
import { binDirOf, releases } from "./postgres-versions.mjs";

const runTests = new URL("run-tests.mjs", import.meta.url).pathname;
const serverTests = [
  "/sql/dist-test/",
  "/skytools/dist-test/structure/",
  "/scripts/",
  "/packages/pgq/",
  "/packages/pgqd/",
  "/packages/londiste/",
  "/packages/walmgr/dist-test/e2e/",
];

const words = process.argv.slice(2).filter((word) => word !== "--");
const isMajor = (word) => /^\d+$/.test(word);
const named = words.filter(isMajor);
const parts = words.filter((word) => !isMajor(word));
const majors = named.length > 0 ? named : [...releases.keys()];

function testOn(major) {
  let binDir;
  try {
    binDir = binDirOf(major);
  } catch (error) {
    return `left out: ${error.message}`;
  }
  console.log(`\nPostgreSQL ${releases.get(major)}`);
  const run = spawnSync(process.execPath, [runTests, ...(parts.length > 0 ? parts : serverTests)], {
    stdio: "inherit",
    env: { ...process.env, SKYTOOLS_PG_BINDIR: binDir },
  });
  return run.status === 0 ? "passed" : `failed: exit code ${run.status ?? run.signal}`;
}

const results = majors.map((major) => ({ major, result: testOn(major) }));
console.log("");
for (const { major, result } of results) console.log(`PostgreSQL ${major}: ${result}`);
const some = (word) => results.some(({ result }) => result.startsWith(word));
process.exit(some("failed") ? 1 : some("left out") ? 3 : 0);
