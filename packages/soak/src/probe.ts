// Loaded into a daemon before its own code: tells what only the process itself knows, twice a second, in a file named after its id.
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const periodMs = 500;
/** Collecting garbage takes no larger part of the process's time: many processes that do it all the time leave nothing of the
 * machine for what is to be watched. */
const collectingShare = 0.02;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;
const file = join(process.env.SOAK_PROBES ?? ".", `${process.pid}.json`);
let warnings = 0;
let heapBytes = 0;
let collectAt = 0;

process.on("warning", () => {
  warnings += 1;
});
process.on("exit", () => rmSync(file, { force: true }));

setInterval(() => {
  if (performance.now() >= collectAt) {
    const before = process.cpuUsage();
    collectGarbage();
    const { user, system } = process.cpuUsage(before);
    collectAt = performance.now() + (user + system) / 1000 / collectingShare;
    const { heapUsed, external } = process.memoryUsage();
    heapBytes = heapUsed + external;
  }
  const told = { heapBytes, handles: process.getActiveResourcesInfo().length, warnings };
  writeFileSync(`${file}.new`, JSON.stringify(told));
  renameSync(`${file}.new`, file);
}, periodMs).unref();
