import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "@skytools/testbed";
import { Config, type ConfigGroup } from "#src/index.js";

const groups: readonly ConfigGroup[] = [
  { title: "t", keys: [{ key: "n", type: "int", default: "7", doc: "a number" }] },
];

async function loaded(
  text: string,
  body: (config: Config, write: (text: string) => void, file: string) => void,
) {
  await using directory = await temporaryDirectory("reload");
  const file = join(directory.path, "job.ini");
  const write = (content: string) => writeFileSync(file, content);
  write(text);
  body(Config.load(file, "s", { groups, overrides: { o: "set" } }), write, file);
}

test("a reload takes changed and new values, and forgets deleted ones", async () => {
  await loaded("[s]\nn = 1\na = 1\n", (config, write) => {
    write("[s]\nb = 2\no = file\n");
    config.reload();
    assert.equal(config.getInt("n"), 7);
    assert.equal(config.has("a"), false);
    assert.equal(config.get("b"), "2");
    assert.equal(config.get("o"), "set");
    assert.equal(config.get("job_name"), "job");
  });
});

for (const [what, text] of [
  ["does not parse", "[s]\nn = 2\nbroken\n"],
  ["has a bad value", "[s]\nn = two\n"],
  ["has lost its section", "[t]\nn = 2\n"],
] as const) {
  test(`a file that ${what} changes nothing`, async () => {
    await loaded("[s]\nn = 1\n", (config, write) => {
      write(text);
      assert.throws(() => config.reload(), { code: "CONFIG" });
      assert.equal(config.getInt("n"), 1);
    });
  });
}

test("a file that has vanished changes nothing", async () => {
  await loaded("[s]\nn = 1\n", (config, _write, file) => {
    rmSync(file);
    assert.throws(() => config.reload(), { message: `Config file not found: ${file}` });
    assert.equal(config.getInt("n"), 1);
  });
});
