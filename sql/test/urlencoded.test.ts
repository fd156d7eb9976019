import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import { urlDecodeRow, urlEncode, urlEncodeRow } from "@skytools/skytools";
import { fuzzRuns } from "@skytools/testbed";
import fc from "fast-check";
import { databaseFixture } from "./fixture.ts";

const fixture = databaseFixture(["pgq", "conflicthandler"]);

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 30 }).filter((value) => !value.includes("\0")),
  fc.string({ unit: fc.constantFrom("%", "2", "b", "+", " ", "=", "&", "é", "字", "\\", "\n", "'", "~") }),
);
const nameText = text.filter((name) => name !== "");
const row = fc.dictionary(nameText, fc.option(text), { noNullPrototype: true });

test("values that the server encodes are those that we would, and are read back", async () => {
  const { db } = await fixture.database();
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 20, maxLength: 60 }), async (values) => {
      const rows = await db.query<{ value: string; encoded: string }>(
        "select value, pgq._urlencode(value) as encoded from unnest($1::text[]) value",
        [values],
      );
      for (const { value, encoded } of rows) {
        equal(encoded, urlEncode(value));
        equal(urlDecodeRow(`v=${encoded}`).get("v"), value);
      }
    }),
    { ...fuzzRuns, numRuns: Math.ceil(fuzzRuns.numRuns / 10) },
  );
});

test("rows that we encode are read back by the conflict handler, broken ones as we read them", async () => {
  const { db } = await fixture.database();
  const columns = async (encoded: string) =>
    JSON.parse((await db.queryValue<string>("select public._merge_on_time_columns($1)::text", [encoded]))!);
  await fc.assert(
    fc.asyncProperty(row, async (values) => {
      deepEqual(await columns(urlEncodeRow(values)), values);
    }),
    fuzzRuns,
  );
  const broken = fc.string({ unit: fc.constantFrom("%", "4", "1", "z", "+", "=", "&", "a", "é") });
  await fc.assert(
    fc.asyncProperty(broken, async (encoded) => {
      let ours: Record<string, string | null> | undefined;
      try {
        ours = Object.fromEntries(urlDecodeRow(encoded));
      } catch {
        // Not UTF-8, which neither takes.
      }
      if (ours === undefined) await rejects(columns(encoded), { sqlState: "22021" });
      else deepEqual(await columns(encoded), ours);
    }),
    fuzzRuns,
  );
});
