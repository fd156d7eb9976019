import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Cluster, moduleDatabase } from "@skytools/testbed";
import { consoleCommands } from "#src/command/command-table.js";
import { type GoldenOptions, goldenOutput, runGolden } from "./golden.ts";

export const queueModules = ["pgq", "pgq_coop", "pgq_ext", "pgq_node"];

const scripts: readonly (readonly [script: string, output?: string, options?: GoldenOptions])[] = [
  ["queues"],
  ["consumers"],
  ["londiste"],
  ["sql"],
  ["sql", "sql.json", { isJson: true }],
  ["sql", "sql.expanded", { isExpanded: true }],
  ["help"],
  ["help", "help.json", { isJson: true }],
  ["dry-run", "dry-run", { isDryRun: true }],
];

/** Scripts with every command, and what they are known to print. */
export function describeLanguage(cluster: () => Cluster): void {
  describe("the language", () => {
    const seen = new Set<string>();
    for (const [script, output = script, options = {}] of scripts) {
      it(`${output}: prints what it is known to print`, async () => {
        const modules = script === "help" ? [] : queueModules;
        const actual = await runGolden(await moduleDatabase(cluster(), modules), script, options);
        assert.equal(actual, goldenOutput(output, actual));
        for (const { lead } of consoleCommands) {
          if (new RegExp(`^> ${lead}\\b.*;$`, "mi").test(actual)) seen.add(lead);
        }
      });
    }

    it("has run every command", () => {
      const missing = consoleCommands.map(({ lead }) => lead).filter((lead) => !seen.has(lead));
      assert.deepEqual(missing, []);
    });
  });
}
