// Loaded into a daemon before its own code: tells what only the process itself knows, twice a second, in a file named after its id.
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const periodMs = 500;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;
const file = join(process.env.SOAK_PROBES ?? ".", `${process.pid}.json`);
let warnings = 0;

process.on("warning", () => {
  warnings += 1;
});
process.on("exit", () => rmSync(file, { force: true }));

setInterval(() => {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  const told = { heapBytes: heapUsed + external, handles: process.getActiveResourcesInfo().length, warnings };
  writeFileSync(`${file}.new`, JSON.stringify(told));
  renameSync(`${file}.new`, file);
}, periodMs).unref();
