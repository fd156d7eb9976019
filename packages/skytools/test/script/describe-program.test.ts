import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { describeProgram } from "#src/script/describe-program.js";
import type { Program } from "#src/script/program.js";
import { SwitchTable } from "#src/script/switch-table.js";

const program: Program = {
  service: "mailer",
  version: "1.0",
  summary: "sends mail",
  config: [],
  switches: [{ flags: "--dry-run", doc: "only say it" }],
  commands: [
    {
      name: "send",
      aliases: ["post"],
      args: "<ADDRESS> [TEXT...]",
      summary: "send one mail",
      switches: [{ flags: "-s, --subject <text>", doc: "its subject", default: "hello", repeatable: true }],
      pidfile: "none",
      run: async () => {},
    },
    { name: "secret", args: "", summary: "for itself", pidfile: "none", hidden: true, run: async () => {} },
  ],
};

describe("the description of a program", () => {
  const config = [
    {
      title: "mailer",
      keys: [
        { key: "server", type: "string", doc: "where", required: true },
        { key: "old", type: "string", doc: "of 2.1", template: "hidden" },
      ],
    },
  ] as const;
  const described = describeProgram(program, new SwitchTable(program), config);

  it("has each command with its own switches, and not the hidden ones", () => {
    assert.deepEqual(described.commands, [
      {
        name: "send",
        aliases: ["post"],
        args: "<ADDRESS> [TEXT...]",
        summary: "send one mail",
        switches: [
          {
            long: "subject",
            short: "s",
            argument: "text",
            doc: "its subject",
            default: "hello",
            isRepeatable: true,
          },
        ],
      },
    ]);
    assert.deepEqual(
      described.switches.map(({ long }) => long),
      ["dry-run"],
    );
    assert.ok(described.commonSwitches.some(({ long }) => long === "help"));
  });

  it("has the keys that a file may contain, and survives JSON", () => {
    assert.deepEqual(
      described.config.map(({ keys }) => keys.map(({ key }) => key)),
      [["server"]],
    );
    assert.deepEqual(JSON.parse(JSON.stringify(described)), described);
  });
});
