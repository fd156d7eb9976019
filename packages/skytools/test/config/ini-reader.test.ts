import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "@skytools/testbed";
import fc from "fast-check";
import { parseIni, readIniFile } from "#src/index.js";

function values(text: string, section = "s"): Record<string, string> {
  const entries = parseIni(text, "t.ini").sections.get(section) ?? new Map();
  return Object.fromEntries([...entries].map(([key, entry]) => [key, entry.value]));
}

function refusal(text: string): RegExp {
  return new RegExp(text.replaceAll("[", "\\[").replaceAll("]", "\\]"));
}

test("both delimiters, the first one counts, blanks around it go", () => {
  assert.deepEqual(values("[s]\na = 1=2:3\nb : x=y\nc=\nd  =   v  \n"), {
    a: "1=2:3",
    b: "x=y",
    c: "",
    d: "v",
  });
});

test("key names are lower-cased and may hold stars, dots and dashes", () => {
  assert.deepEqual(values("[s]\nKey.Of-*_X = V\n"), { "key.of-*_x": "V" });
});

test("section names keep their case, and what stands behind the bracket is ignored", () => {
  assert.deepEqual([...parseIni("[Own Section] here\na=1\n", "t.ini").sections.keys()], ["Own Section"]);
});

test("comments need lines of their own", () => {
  assert.deepEqual(values("# c\n[s]\n  ; c\na = 1 ; note # more\n"), { a: "1 ; note # more" });
});

test("deeper lines continue a value, blank ones inside it stay, comments inside it go", () => {
  const text = "[s]\nsql =\n  select 1\n\n    from t\n  # not part\n  where x\n\n\nnext = 1\n";
  assert.deepEqual(values(text), { sql: "\nselect 1\n\nfrom t\nwhere x", next: "1" });
});

test("a line as deep as an indented key is the next key", () => {
  assert.deepEqual(values("[s]\n  a = 1\n  b = 2\n   c = 3\n"), { a: "1", b: "2\nc = 3" });
});

test("quotes belong to the value", () => {
  assert.deepEqual(values(`[s]\na = "x y"\nb = 'z'\n`), { a: '"x y"', b: "'z'" });
});

test("CRLF and a byte order mark make no difference", () => {
  assert.deepEqual(values("\uFEFF[s]\r\na = 1\r\n 2\r\n"), { a: "1\n2" });
});

test("DEFAULT is no section and may come twice", () => {
  const ini = parseIni("[DEFAULT]\na=1\n[s]\n[DEFAULT]\nb=2\n", "t.ini");
  assert.deepEqual([...ini.sections.keys()], ["s"]);
  assert.deepEqual([...ini.defaults.keys()], ["a", "b"]);
});

test("every key knows its line", () => {
  const section = parseIni("# top\n[s]\na = 1\n  2\n\nb = 3\n", "t.ini").sections.get("s")!;
  assert.equal(section.get("a")?.line, 3);
  assert.equal(section.get("b")?.line, 6);
});

for (const [what, text, message] of [
  ["a key without delimiter", "[s]\na = 1\nword\n", "t.ini:3: the line is neither a [section] nor"],
  ["a key before any section", "a = 1\n", "t.ini:1: a value stands before the first [section]"],
  ["a section that comes twice", "[s]\n[t]\n[s]\n", "t.ini:3: section [s] appears twice"],
  ["a key that comes twice", "[s]\na = 1\nb = 1\nA = 2\n", "t.ini:4: [s] a: is set twice, first on line 2"],
  ["a zero byte", "[s]\na = 1\nb = x\0y\n", "t.ini:3: the line has a zero byte in it"],
  ["a key twice in DEFAULT", "[DEFAULT]\na=1\na=2\n", "t.ini:3: [DEFAULT] a: is set twice, first on line 2"],
  ["a delimiter without key", "[s]\n= 1\n", "t.ini:2: a key is missing before the delimiter"],
] as const) {
  test(`${what} is refused with its line`, () => {
    assert.throws(() => parseIni(text, "t.ini"), { code: "CONFIG", message: refusal(`^${message}`) });
  });
}

test("a file that is missing or not UTF-8 is one clear error", async () => {
  await using directory = await temporaryDirectory("ini");
  const file = join(directory.path, "bad.ini");
  assert.throws(() => readIniFile(file), { code: "CONFIG", message: `Config file not found: ${file}` });
  writeFileSync(file, Buffer.from([0x5b, 0x73, 0x5d, 0x0a, 0x61, 0x3d, 0xff, 0x0a]));
  assert.throws(() => readIniFile(file), {
    code: "CONFIG",
    message: `${file}:2: the file is not valid UTF-8`,
  });
});

const plainText = fc.stringMatching(/^[!-~äλ]([ -~äλ]*[!-~äλ])?$/);
const valueLine = plainText.filter((line) => !/^[#;]/.test(line));
const keyName = fc.stringMatching(/^[a-z_][a-z0-9_.*-]{0,10}$/);

test("what is written line by line is read back (property)", () => {
  const section = fc.uniqueArray(fc.tuple(keyName, fc.array(valueLine, { maxLength: 4 })), {
    selector: ([key]) => key,
  });
  fc.assert(
    fc.property(section, (entries) => {
      const lines = entries.map(([key, value]) => `${key} = ${value.join("\n    ")}`);
      const expected = Object.fromEntries(entries.map(([key, value]) => [key, value.join("\n")]));
      assert.deepEqual(values(`[s]\n${lines.join("\n")}\n`), expected);
    }),
  );
});

test("any text is read or refused as a whole, never anything else (property)", () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom("[s]", "[DEFAULT]", "a = 1", "  more", "", "# c", "b", "=", "[", "\t:x"),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      try {
        parseIni(lines.join("\n"), "t.ini");
      } catch (error) {
        assert.equal((error as { code?: string }).code, "CONFIG");
        assert.match((error as Error).message, /^t\.ini:\d+: /);
      }
    }),
  );
});
