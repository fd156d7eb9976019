import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { Config, readIniFile } from "#src/index.js";

// The compiled test stands in dist-test/config.
const fixtures = new URL("../../test/fixture/ini/", import.meta.url);

function dump(file: string): string {
  const ini = readIniFile(file);
  const lines: string[] = [];
  if (ini.defaults.size > 0) lines.push("[DEFAULT]");
  for (const [key, { line }] of ini.defaults) lines.push(`${line}: ${key}`);
  for (const [name, section] of ini.sections) {
    const config = Config.load(file, name);
    lines.push(`[${name}]`);
    for (const [key, { line }] of section) lines.push(`${line}: ${key} = ${JSON.stringify(config.get(key))}`);
  }
  return `${lines.join("\n")}\n`;
}

for (const name of readdirSync(fixtures).filter((each) => each.endsWith(".ini"))) {
  test(`${name} is read as expected`, () => {
    const expected = readFileSync(new URL(`expected/${name.replace(".ini", ".txt")}`, fixtures), "utf8");
    assert.equal(dump(new URL(name, fixtures).pathname), expected);
  });
}
