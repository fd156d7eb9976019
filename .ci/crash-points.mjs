// Where a test can let a process die, found in the code: every crashPoint("name").
//   node .ci/crash-points.mjs           lists them: name, file, line
//   node .ci/crash-points.mjs --check   exit 1 when a name stands twice in the code, when no test names a point, or when state
//                                       changes hands somewhere without a point next to it
// State changes hands where a transaction commits, also that of a single statement, where a file changes, gets its name or more
// content, and where a process of ours starts. Database, and take-name.ts, change-files.ts and open-file.ts of skytools/src/files have
// a point for all who use them, so nobody else may do what they do; exceptions are named here, with the reason. A file that is open
// for writing has no descriptor that others could write to. Whoever starts a process has a point next to it.
// What takes effect in a server without Database, and what another program does, has a point in its file.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileEffects } from "./file-effects.mjs";

const root = new URL("..", import.meta.url).pathname;
/** What only tests, builds and shows. */
const notForUsers = ["bench", "chaos", "demo", "docs", "interop", "soak", "testbed"];
const packages = readdirSync(join(root, "packages"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !notForUsers.includes(entry.name))
  .map((entry) => join("packages", entry.name));
const places = [...packages, "scripts"];

const committingFiles = ["packages/skytools/src/db/database.ts", "packages/skytools/src/db/perform-alone.ts"];
const databaseFolder = "packages/skytools/src/db/";
const filesFolder = "packages/skytools/src/files/";
const changingFile = `${filesFolder}change-files.ts`;
/** Who changes files without the functions of that folder, by which functions, and why. */
const otherFileEffects = new Map([
  [`${filesFolder}take-name.ts`, ["link linkSync rename renameSync", "has a point for all who use it"]],
  [`${filesFolder}open-file.ts`, ["write writeSync", "has a point for all who write into an open file"]],
  ["packages/skytools/src/script/crash-point.ts", ["appendFileSync", "notes that the process dies"]],
  [
    "packages/skytools/src/log/rotating-file.ts",
    ["openSync writeFileSync", "adds to a log, which nobody goes on from"],
  ],
  ["packages/skytools/src/log/write-fully.ts", ["writeSync", "to what is open, above all standard error"]],
  ["packages/pgqd/src/daemon-log.ts", ["openSync writeSync", "adds to a log, which nobody goes on from"]],
]);
/** The driver, for more than its types. */
const driverImport = /^import (?!type\b)[^;]*? from "pg(?:-[\w-]+)?";/m;
const commitCall = /\.(?:send|query|execute)\(\s*["'`]\s*commit\b/i;
const processStart = /\bspawn\(process\.execPath/;
/** Settings and slots: they are there once the statement ends. A temporary slot ends with its session. */
const serverEffect = /[`"]alter system|(?:CREATE|DROP)_REPLICATION_SLOT (?!.*TEMPORARY)/;
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

function fileProblems(path, text) {
  const effects = fileEffects(path, text);
  const [names = ""] = otherFileEffects.get(path) ?? [];
  const allowed = names.split(" ").filter(Boolean);
  return [
    ...effects
      .filter(({ name }) => !allowed.includes(name))
      .map(({ name, line }) => `${path}:${line}: ${name} without a crash point: use what ${filesFolder} has`),
    ...allowed
      .filter((name) => effects.every((effect) => effect.name !== name))
      .map((name) => `${path}: ${name} is excepted in .ci/crash-points.mjs, and not there any more`),
  ];
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
    const text = lines.join("\n");
    if (path !== changingFile) found.push(...fileProblems(path, text));
    if (!path.startsWith(databaseFolder) && driverImport.test(text))
      found.push(`${path}: talks to servers past Database, which has the points`);
    const hasPoint = lines.some((line) => /\bcrashPoint\(/.test(line));
    for (const [at, text] of lines.entries()) {
      if (!hasPoint && serverEffect.test(text))
        found.push(
          `${path}:${at + 1}: no crash point in a file that changes a server outside of a transaction`,
        );
      if (!hasPoint && programRun.test(text) && !passingPrograms.has(path))
        found.push(`${path}:${at + 1}: no crash point in a file that runs another program`);
      if (!committingFiles.includes(path) && commitCall.test(text))
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
