import assert from "node:assert/strict";
import { it } from "node:test";
import { describePgqd } from "#src/describe-pgqd.js";
import { settingTable } from "#src/setting-table.js";

it("describes every setting and switch of pgqd in the framework's terms", () => {
  const { switches, config } = describePgqd("1.2");
  const help = switches.find(({ short }) => short === "h");
  assert.deepEqual(help, { long: "help", short: "h", doc: "show this help", isRepeatable: false });
  assert.deepEqual(
    config.flatMap(({ keys }) => keys.map(({ key }) => key)),
    settingTable.map(({ key }) => key),
  );
});
