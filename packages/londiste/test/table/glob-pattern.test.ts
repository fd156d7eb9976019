import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzzRuns } from "@skytools/testbed";
import fc from "fast-check";
import { globPattern } from "#src/table/select-names.js";

function matches(glob: string, name: string): boolean {
  const [first, ...rest] = Array.from(glob);
  if (first === undefined) return name === "";
  const [letter, ...letters] = Array.from(name);
  if (first === "*")
    return matches(rest.join(""), name) || (letter !== undefined && matches(glob, letters.join("")));
  return (
    letter !== undefined && (first === "?" || first === letter) && matches(rest.join(""), letters.join(""))
  );
}

const glob = fc.string({ unit: fc.constantFrom("a", "b", "*", "?", ".", "$", "1", "é", "😀"), maxLength: 8 });
const name = fc.string({ unit: fc.constantFrom("a", "b", ".", "$", "1", "é", "😀", "\n"), maxLength: 8 });

test("a glob stands for the names that it should", () => {
  fc.assert(
    fc.property(glob, name, (pattern, text) => {
      assert.equal(globPattern(pattern).test(text), matches(pattern, text), `${pattern} ${text}`);
    }),
    { ...fuzzRuns, numRuns: fuzzRuns.numRuns * 20 },
  );
});

test("no glob takes long", () => {
  const start = process.cpuUsage();
  assert.equal(globPattern(`${"*a".repeat(30)}*b`).test("a".repeat(120)), false);
  assert.ok(process.cpuUsage(start).user < 1_000_000);
});
