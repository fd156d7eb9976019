import assert from "node:assert/strict";
import { it } from "node:test";
import { inspect, isDeepStrictEqual } from "node:util";
import { moduleDatabase, startCluster } from "@skytools/testbed";
import fc from "fast-check";
import { callScript } from "./fixture/call-script.js";
import { CallSide } from "./fixture/call-side.js";
import type { Step } from "./fixture/call-values.js";
import { originalDatabase } from "./fixture/original-modules.js";
import { original, skipWithout } from "./fixture/originals.js";

const seed = Number(process.env.SKYTOOLS_FUZZ_SEED ?? 1);
const numRuns = Number(process.env.SKYTOOLS_FUZZ_RUNS ?? 50);

it("random calls give what the compiled PgQ 3.5 gives: results, errors, warnings, tables", {
  skip: skipWithout("postgresql-15-pgq3"),
}, async () => {
  // A server each, and nobody else at work there: snapshots show the transactions of all databases.
  const options = { binDir: original.binDir, settings: { autovacuum_naptime: "1d", log_statement: "none" } };
  await using theirCluster = await startCluster(options);
  await using ourCluster = await startCluster(options);
  await using theirs = await CallSide.open(await originalDatabase(theirCluster, "theirs", ["pgq"]));
  await using ours = await CallSide.open(await moduleDatabase(ourCluster, ["pgq"], "ours"));
  const succeeded = new Set<string>();
  const property = fc.asyncProperty(callScript, async (steps) => {
    await theirs.reset();
    await ours.reset();
    for (const name of await compare(steps, theirs, ours)) succeeded.add(name);
  });
  const result = await fc.check(property, { seed, numRuns });
  if (result.failed) {
    // The script is in the message of the error; fast-check's own report repeats it less readably.
    const { seed: failedSeed, counterexamplePath, errorInstance } = result;
    throw new Error(`seed ${failedSeed}, path ${counterexamplePath}, ${inspect(errorInstance)}`);
  }
  const calls = [...JSON.stringify(fc.sample(callScript, { seed, numRuns })).matchAll(/pgq\.(\w+)\(/g)];
  const never = [...new Set(calls.map((match) => match[1]!))].filter((name) => !succeeded.has(name));
  assert.deepEqual(never, [], "functions that never succeeded");
});

/** Runs the steps on both sides.
 * @returns the functions that gave a result
 * @throws AssertionError at the first step that comes out differently */
async function compare(steps: readonly Step[], theirs: CallSide, ours: CallSide): Promise<string[]> {
  const succeeded: string[] = [];
  const done: string[] = [];
  for (const { session, sql, onlyIf } of steps) {
    if (onlyIf !== undefined && !(await theirs.holds(onlyIf))) continue;
    done.push(`${session}: ${sql}`);
    const [expected, actual] = await Promise.all([theirs.run(session, sql), ours.run(session, sql)]);
    assertSame(actual, expected, done);
    const name = /from pgq\.(\w+)\(/.exec(sql)?.[1];
    if (name !== undefined && expected.rows !== undefined) succeeded.push(name);
  }
  const [expected, actual] = await Promise.all([theirs.state(), ours.state()]);
  for (const [name, rows] of Object.entries(expected)) assertSame(actual[name], rows, [...done, `${name}:`]);
  return succeeded;
}

function assertSame(actual: unknown, expected: unknown, done: readonly string[]): void {
  if (isDeepStrictEqual(actual, expected)) return;
  const [ours, theirs] = [actual, expected].map((value) => inspect(value, { depth: 9, breakLength: 110 }));
  assert.fail(`after:\n${done.join("\n")}\ntheirs: ${theirs}\nours: ${ours}`);
}
