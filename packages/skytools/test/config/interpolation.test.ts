import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InterpolationError, interpolate } from "#src/config/interpolation.js";
import { Config } from "#src/index.js";

function parse(body: string, file = "t.ini"): Config {
  return Config.parse(body, "s", { file });
}

const extended = "config_format = 2\n";

test("format 1 takes keys of the section, then of DEFAULT", () => {
  const config = parse("[DEFAULT]\nd = deep\nb = no\n[s]\na = <%(b)s %(D)s>\nb = own\n");
  assert.equal(config.get("a"), "<own deep>");
});

test("format 1 leaves dollars alone, format 2 leaves percents alone", () => {
  const body = `a = \${b} $ %%(x)s\n`;
  assert.equal(parse(`[s]\n${body}`).get("a"), `\${b} $ %(x)s`);
  assert.equal(parse(`[s]\n${extended}a = %(b)s 5% $$\n`).get("a"), "%(b)s 5% $");
});

test("format 2 reaches other sections, and references there stay there", () => {
  const config = parse(`[s]\n${extended}a = \${t:b}\nc = mine\n[t]\nb = \${c}\nc = theirs\n`);
  assert.equal(config.get("a"), "theirs");
});

test("the format may stand in DEFAULT, and an unknown one is refused", () => {
  assert.equal(parse(`[DEFAULT]\nconfig_format = 2\n[s]\na = \${b}\nb = 1\n`).get("a"), "1");
  assert.throws(() => parse("[s]\nconfig_format = 3\n"), {
    message: 't.ini:2: [s] config_format: unsupported config format "3"',
  });
});

test("doubled percents give the placeholders that SQL templates need", () => {
  assert.equal(
    parse("[s]\nq = select %%(pgq.ev_data)s, 100 %% 7\n").get("q"),
    "select %(pgq.ev_data)s, 100 % 7",
  );
});

for (const [what, value, message] of [
  ["a lone percent", "50%", 'has a "%" that is neither "%%" nor a reference %(key)s'],
  ["an unfinished reference", "%(b)", 'has a "%" that is neither "%%" nor a reference %(key)s'],
  ["a missing key", "%(nope)s", 'refers to "nope", which is not set'],
  ["a loop", "%(a)s", "refers to other values more than 10 levels deep"],
] as const) {
  test(`${what} fails when the value is read, not before`, () => {
    const config = parse(`[s]\nother = 1\na = ${value}\n`);
    assert.equal(config.get("other"), "1");
    assert.throws(() => config.get("a"), { code: "CONFIG", message: `t.ini:3: [s] a: ${message}` });
  });
}

test("a chain of nine references works, one of eleven does not", () => {
  const chain = (length: number) =>
    Array.from({ length }, (_, index) => `k${index} = %(k${index + 1})s`).join("\n");
  assert.equal(parse(`[s]\n${chain(9)}\nk9 = end\n`).get("k0"), "end");
  assert.throws(() => parse(`[s]\n${chain(11)}\nk11 = end\n`).get("k0"), { code: "CONFIG" });
});

test("escaped text comes back unchanged in both formats (property)", () => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom("basic", "extended"), (text, syntax) => {
      const sign = syntax === "basic" ? "%" : "$";
      const escaped = text.replaceAll(sign, () => sign + sign);
      assert.equal(
        interpolate(escaped, syntax, "s", () => undefined),
        text,
      );
    }),
  );
});

test("any text is replaced or refused, never anything else (property)", () => {
  const piece = fc.constantFrom("%", "(", ")", "s", "$", "{", "}", ":", "a", "%(a)s", `\${a}`, `\${t:a}`);
  fc.assert(
    fc.property(fc.array(piece), fc.constantFrom("basic", "extended"), (pieces, syntax) => {
      const text = pieces.join("");
      const lookup = () => ({ text, isLiteral: false, section: "s" });
      try {
        interpolate(text, syntax, "s", lookup);
      } catch (error) {
        assert.ok(error instanceof InterpolationError);
      }
    }),
  );
});

test("a value that refers to others without end is refused soon", () => {
  const levels = (last: string) =>
    [...Array(9).keys()].map((nr) => `v${nr} = ${`%(v${nr + 1})s`.repeat(100)}\n`).join("") +
    `v9 = ${last}\n`;
  for (const last of ["", "x".repeat(1000)])
    assert.throws(
      () => parse(`[s]\n${levels(last)}`).get("v0"),
      /refers to so much that the result has no end/,
    );
});
