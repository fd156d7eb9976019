// Where a test can let a process die, found in the code: every crashPoint("name").
//   node .ci/crash-points.mjs           lists them: name, file, line
//   node .ci/crash-points.mjs --check   exit 1 when a name stands twice in the code, when no test names a point, or when state
//                                       changes hands somewhere without a point next to it
// State changes hands where a transaction commits, where a file gets its name, and where a process of ours starts. Database.commit
// and skytools/src/files/take-name.ts have a point for all who use them, so nobody else may do what they do; whoever starts a
// process has a point next to it. What takes effect in a server without a commit, and what another program does, has a point in
// its file.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const root = new URL("..", import.meta.url).pathname;
/** What only tests, builds and shows. */
const notForUsers = ["bench", "chaos", "demo", "docs", "interop", "soak", "testbed"];
const packages = readdirSync(join(root, "packages"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !notForUsers.includes(entry.name))
  .map((entry) => join("packages", entry.name));
const places = [...packages, "scripts"];

const committingFile = "packages/skytools/src/db/database.ts";
const namingFile = "packages/skytools/src/files/take-name.ts";
const commitCall = /\.(?:send|query|execute)\(\s*["'`]\s*commit\b/i;
const namingImport =
  /^import \{[^}]*\b(?:rename|renameSync|link|linkSync)\b[^}]*\} from "node:fs(?:\/promises)?"/ms;
const processStart = /\bspawn\(process\.execPath/;
/** Settings and slots: they are there once the statement ends. A temporary slot ends with its session. */
const serverEffect = /[`"]alter system|CREATE_REPLICATION_SLOT (?!.*TEMPORARY)/;
const programRun = /\b(?:spawn|spawnSync|execFile)\(/;
/** Programs that leave nothing behind which another run would have to find. */
const passingPrograms = new Map([
  ["packages/skytools/src/log/syslog.ts", "hands lines over"],
  ["packages/skytools/src/script/service-notifier.ts", "tells the service manager a state"],
  ["packages/scriptmgr/src/run-as.ts", "starts jobs, which have points of their own"],
  ["packages/walmgr/src/archive/codec.ts", "compresses what passes"],
  ["packages/walmgr/src/engine/engine.ts", "an engine that is not ours, which is called again"],
  ["packages/walmgr/src/init/init-config.ts", "makes a key, before anything else is written"],
  [
    "packages/walmgr/src/remote/remote-program.ts",
    "is walmgr itself on the other host, with the points there",
  ],
  ["packages/walmgr/src/standby/server-account.ts", "looks whether an account may read"],
]);

/** Lines between a start and its point. */
const nearLines = 12;

function sourceFiles(dir) {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return sourceFiles(path);
    return entry.name.endsWith(".ts") ? [path] : [];
  });
}

const read = (folder) =>
  places
    .flatMap((place) => sourceFiles(join(root, place, folder)))
    .map((path) => ({ path: relative(root, path), lines: readFileSync(path, "utf8").split("\n") }));

/** @returns every point: its name (a template's changing part is `*`), file and line */
export function crashPoints() {
  return read("src").flatMap(({ path, lines }) =>
    lines.flatMap((text, at) => {
      const call = /\bcrashPoint\((["`])(.*?)\1\)/.exec(text);
      return call === null ? [] : [{ name: call[2].replaceAll(/\$\{.*\}/g, "*"), path, line: at + 1 }];
    }),
  );
}

/** Test files by the points that they name. */
export function scenarios() {
  const tests = read("test");
  return new Map(
    crashPoints().map(({ name }) => {
      const words = name.endsWith("*") ? [name.slice(0, -1)] : [`"${name}`, `\`${name}`];
      const files = tests.filter(({ lines }) =>
        lines.some((line) => words.some((word) => line.includes(word))),
      );
      return [name, files.map(({ path }) => path)];
    }),
  );
}

/** @returns a test file itself; of a fixture the tests that call its function which kills */
export function testsOf(file) {
  if (file.endsWith(".test.ts")) return [file];
  return read("test").flatMap(({ path, lines }) =>
    path.endsWith(".test.ts") && lines.some((line) => line.includes("killAfterEachStep(")) ? [path] : [],
  );
}

function problems() {
  const points = crashPoints();
  const found = [];
  for (const [at, { name, path, line }] of points.entries()) {
    const other = points.findIndex((each) => each.name === name);
    if (other !== at)
      found.push(`${path}:${line}: ${name} stands in ${points[other].path}:${points[other].line} too`);
  }
  for (const [name, files] of scenarios()) if (files.length === 0) found.push(`no test kills at ${name}`);
  for (const { path, lines } of read("src")) {
    if (path !== namingFile && namingImport.test(lines.join("\n")))
      found.push(`${path}: gives files their names by itself: use those of ${namingFile}`);
    const hasPoint = lines.some((line) => /\bcrashPoint\(/.test(line));
    for (const [at, text] of lines.entries()) {
      if (!hasPoint && serverEffect.test(text))
        found.push(
          `${path}:${at + 1}: no crash point in a file that changes a server outside of a transaction`,
        );
      if (!hasPoint && programRun.test(text) && !passingPrograms.has(path))
        found.push(`${path}:${at + 1}: no crash point in a file that runs another program`);
      if (path !== committingFile && commitCall.test(text))
        found.push(`${path}:${at + 1}: a commit that Database.commit does not make`);
      const near = lines.slice(Math.max(0, at - nearLines), at + nearLines + 1);
      if (processStart.test(text) && !near.some((line) => /\bcrashPoint\(/.test(line)))
        found.push(`${path}:${at + 1}: no crash point next to the start of a process`);
    }
  }
  return found;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  if (process.argv.includes("--check")) {
    const found = problems();
    for (const problem of found) console.error(problem);
    process.exit(found.length === 0 ? 0 : 1);
  }
  for (const { name, path, line } of crashPoints()) console.log(`${name.padEnd(34)} ${path}:${line}`);
}
