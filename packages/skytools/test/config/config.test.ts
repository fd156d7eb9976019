import assert from "node:assert/strict";
import { hostname, userInfo } from "node:os";
import { test } from "node:test";
import fc from "fast-check";
import { Config, type ConfigGroup } from "#src/index.js";

function parse(body: string, options: Parameters<typeof Config.parse>[2] = {}): Config {
  return Config.parse(`[s]\n${body}`, "s", { file: "etc/job.one.ini", ...options });
}

const group = (keys: ConfigGroup["keys"]): ConfigGroup => ({ title: "t", keys });

test("implicit keys come from file name, section and host, and the file wins over them", () => {
  const config = parse("a = %(job_name)s %(config_dir)s\n");
  assert.equal(config.get("a"), "job.one etc");
  assert.equal(config.get("job_name"), "job.one");
  assert.equal(config.get("service_name"), "s");
  assert.equal(config.get("host_name"), hostname());
  assert.equal(config.get("config_file"), "etc/job.one.ini");
  assert.equal(parse("", { file: "bare.ini" }).get("config_dir"), "");
  assert.equal(parse("job_name = own\n").get("job_name"), "own");
  assert.equal(Config.parse("[DEFAULT]\njob_name = d\n[s]\n", "s", { file: "f.ini" }).get("job_name"), "d");
  assert.equal(Config.parse("", "s").get("job_name"), "s");
});

test("a percent in the path of the file is no reference", () => {
  assert.equal(parse("a = %(config_file)s\n", { file: "50%/x%y.ini" }).get("a"), "50%/x%y.ini");
});

test("precedence: --set, section, DEFAULT, declared default", () => {
  const text = "[DEFAULT]\na = default\nb = default\nc = default\n[s]\na = section\nb = section\n";
  const groups = [
    group(["a", "b", "c", "d"].map((key) => ({ key, type: "string", doc: "", default: "declared" }))),
  ];
  const config = Config.parse(text, "s", { file: "f.ini", overrides: { A: "set" }, groups });
  assert.deepEqual(
    ["a", "b", "c", "d"].map((key) => config.get(key)),
    ["set", "section", "default", "declared"],
  );
  assert.equal(config.has("d"), false);
  assert.equal(config.getOr("d", "fallback"), "declared");
  assert.equal(config.getOr("e", "fallback"), "fallback");
  assert.equal(config.find("e"), undefined);
});

test("the first group that declares a key decides its default", () => {
  const own = group([{ key: "loop_delay", type: "float", doc: "", default: "5" }]);
  const framework = group([{ key: "loop_delay", type: "float", doc: "", default: "1" }]);
  assert.equal(parse("", { groups: [own, framework] }).getFloat("loop_delay"), 5);
});

test("overrides take part in interpolation, and their mistakes say where they come from", () => {
  const config = parse("a = %(b)s\nb = 1\n", { overrides: { b: "2", c: "50%" } });
  assert.equal(config.get("a"), "2");
  assert.throws(() => config.get("c"), {
    message: /^etc\/job\.one\.ini: \[s\] c: has a "%".*\(given with --set\)$/,
  });
});

test("an old section name is as good, a missing section is named with those that are there", () => {
  const config = Config.parse("[old]\na = 1\nb = %(a)s\n", "new", { file: "f.ini", sectionAliases: ["old"] });
  assert.equal(config.get("b"), "1");
  assert.equal(config.section, "new");
  assert.equal(config.findings().suspicions[0]?.message, "f.ini: section [old] is now called [new]");
  assert.throws(() => Config.parse("[x]\n[y]\n", "s", { file: "f.ini" }), {
    message: "f.ini: [s]: no section [s]",
    hint: "The file has [x], [y].",
  });
});

test("a missing key names file, section and key; a bad value also its line", () => {
  const config = parse("\na = often\n");
  assert.throws(() => config.get("b"), { message: "etc/job.one.ini: [s] b: required key is not set" });
  assert.throws(() => config.getInt("a"), {
    message: 'etc/job.one.ini:3: [s] a: "often" is not a whole number',
    line: 3,
    key: "a",
    section: "s",
  });
  assert.equal(config.location("a"), "etc/job.one.ini:3");
  assert.equal(config.location("b"), "etc/job.one.ini");
});

function typed<T>(get: (config: Config) => T, text: string): T | string {
  try {
    return get(parse(`a = ${text.replaceAll("%", "%%")}\n`));
  } catch (error) {
    return (error as Error).message.replace(/^.*?\] a: /, "error: ");
  }
}

for (const [text, expected] of [
  ["12", 12],
  ["-1_000", -1000],
  ["+7", 7],
  ["1.0", 'error: "1.0" is not a whole number'],
  ["0x10", 'error: "0x10" is not a whole number'],
  ["", 'error: "" is not a whole number'],
  ["9007199254740993", 'error: "9007199254740993" is not a whole number'],
] as const) {
  test(`getInt of "${text}"`, () =>
    assert.equal(
      typed((config) => config.getInt("a"), text),
      expected,
    ));
}

for (const [text, expected] of [
  ["1", 1],
  [".5", 0.5],
  ["5.", 5],
  ["-1e3", -1000],
  ["1s", 'error: "1s" is not a number'],
  [".", 'error: "." is not a number'],
  ["inf", 'error: "inf" is not a number'],
  ["1e999", 'error: "1e999" is not a number'],
] as const) {
  test(`getFloat of "${text}"`, () =>
    assert.equal(
      typed((config) => config.getFloat("a"), text),
      expected,
    ));
}

for (const [text, expected] of [
  ["YES", true],
  ["1", true],
  ["True", true],
  ["on", true],
  ["0", false],
  ["no", false],
  ["Off", false],
  ["false", false],
  ["2", 'error: "2" is not a boolean (1, yes, true, on, 0, no, false, off)'],
] as const) {
  test(`getBoolean of "${text}"`, () =>
    assert.equal(
      typed((config) => config.getBoolean("a"), text),
      expected,
    ));
}

for (const [text, expected] of [
  ["", []],
  ["a,, b ,", ["a", "", "b", ""]],
  ["one", ["one"]],
] as const) {
  test(`getList of "${text}"`, () =>
    assert.deepEqual(
      typed((config) => config.getList("a"), text),
      expected,
    ));
}

test("getDict: pairs at the first colon, bare items stand for themselves, the last one wins", () => {
  const pairs = typed((config) => config.getDict("a"), "a: 1, b, c : x:y, a:2");
  assert.deepEqual(
    pairs,
    new Map([
      ["a", "2"],
      ["b", "b"],
      ["c", "x:y"],
    ]),
  );
});

for (const [text, expected] of [
  ["12k", 12288],
  ["512", 512],
  ["10 MB", 10485760],
  ["1gb", 1073741824],
  ["3B", 3],
  ["1.5M", 'error: "1.5M" is not a size in bytes, such as 512, 64K or 10MB'],
  ["9Y", 'error: "9Y" is not a size in bytes, such as 512, 64K or 10MB'],
  ["k", 'error: "k" is not a size in bytes, such as 512, 64K or 10MB'],
] as const) {
  test(`getBytes of "${text}"`, () =>
    assert.equal(
      typed((config) => config.getBytes("a"), text),
      expected,
    ));
}

test("getFile expands a leading tilde only", () => {
  const { homedir, username } = userInfo();
  const file = (text: string) => typed((config) => config.getFile("a"), text);
  const home = process.env.HOME ?? homedir;
  assert.equal(file("~/x"), `${home}/x`);
  assert.equal(file("~"), home);
  assert.equal(file(`~${username}/x`), `${homedir}/x`);
  assert.equal(file("~nobody-of-this-name/x"), "~nobody-of-this-name/x");
  for (const same of ["", "-", "rel/~x", "/abs"]) assert.equal(file(same), same);
});

test("getWildcard prefers the most specific key", () => {
  const config = parse("t.*.* = any\nt.x.* = x\nt.x.y = xy\n");
  assert.equal(config.getWildcard("t.*.*", ["x", "y"]), "xy");
  assert.equal(config.getWildcard("t.*.*", ["x", "z"]), "x");
  assert.equal(config.getWildcard("t.*.*", ["$&", "y"]), "any");
  assert.equal(config.getWildcard("u.*", ["x"]), undefined);
});

test("other sections open as configurations of their own", () => {
  const config = Config.parse("[DEFAULT]\nd = 1\n[s]\na = 1\n[t]\nb = 2\n", "s", {
    file: "f.ini",
    overrides: { b: "3" },
  });
  assert.deepEqual(config.sections(), ["s", "t"]);
  assert.deepEqual(config.keys(), ["b", "a"]);
  const other = config.openSection("t");
  assert.equal(other.get("b"), "2");
  assert.equal(other.get("d"), "1");
  assert.throws(() => config.openSection("u"), { code: "CONFIG" });
});

test("numbers survive writing and reading (property)", () => {
  fc.assert(
    fc.property(
      fc.maxSafeInteger(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      (integer, float) => {
        assert.equal(parse(`a = ${integer}\n`).getInt("a"), integer);
        assert.equal(parse(`a = ${float}\n`).getFloat("a"), float + 0);
      },
    ),
  );
});

test("lists of stripped items survive writing and reading (property)", () => {
  const item = fc.stringMatching(/^([!-$&-+.-~]([!-$&-+.-~ ]*[!-$&-+.-~])?)?$/);
  fc.assert(
    fc.property(fc.array(item, { minLength: 2 }), (items) => {
      assert.deepEqual(parse(`a = ${items.join(",")}\n`).getList("a"), items);
    }),
  );
});
