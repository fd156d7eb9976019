import assert from "node:assert/strict";
import fc from "fast-check";

/** A reader of text that others wrote. */
export interface FuzzedParser {
  readonly name: string;
  readonly parse: (text: string) => unknown;
  /** whole inputs as they come in good times; pieces of them are mixed */
  readonly samples: readonly string[];
  /** whether an error is one that the parser's docstring promises; none are when left out */
  readonly isRefusal?: (error: unknown) => boolean;
}

/** What has broken parsers before. */
const nasty = [
  "",
  " ",
  "\t",
  "\n",
  "\r\n",
  "\0",
  "\u2028",
  "\uFEFF",
  "\uD800",
  "é",
  "𝄞",
  "'",
  "''",
  '"',
  '""',
  "\\",
  "\\x",
  "\\777",
  "\\N",
  "`",
  "$",
  "$$",
  "$x$",
  "%",
  "%%",
  "%zz",
  "%E4",
  "%(a)s",
  "$" + "{a}",
  "{",
  "}",
  "{}",
  "[",
  "]",
  "[]",
  "(",
  ")",
  "<",
  ">",
  ",",
  ";",
  ":",
  "=",
  "&",
  "+",
  "-",
  "--",
  "/*",
  "*/",
  "#",
  "/",
  "..",
  "../../etc/passwd",
  "e'\\",
  "U&'",
  "NULL",
  "null",
  "true",
  "0",
  "-1",
  "1e999",
  "NaN",
  "9".repeat(40),
  "__proto__",
  "constructor",
  "FFFFFFFFF/FFFFFFFFF",
];

/** For fast-check: in every run the same number of the same texts; SKYTOOLS_FUZZ_RUNS makes it more, SKYTOOLS_FUZZ_SEED others. */
export const fuzzRuns = {
  numRuns: Number(process.env.SKYTOOLS_FUZZ_RUNS ?? 300),
  seed: Number(process.env.SKYTOOLS_FUZZ_SEED ?? 1),
};
const longInputChars = 40_000;
/** of processor time, so that a busy machine is no failure; a quadratic reader of a long text takes more */
const longestMs = 1000;
/** what else the processor does at the same time, such as collecting garbage, counts in one try only */
const longTries = 4;
/** what readers look for, or skip, in the middle of something; long rows of it */
const filling = ["a", "0", " ", ",", "'", "\\", "(", ", ("];
const placesOfFilling = 4;

/** Feeds a parser with broken and long texts.
 * @throws AssertionError when it fails in another way than it promises, or takes too long */
export function fuzzParser(parser: FuzzedParser): void {
  const piece = fc.oneof(
    fc.constantFrom(...nasty),
    fc.constantFrom(...parser.samples),
    fc.string({ unit: "binary", maxLength: 8 }),
    fc
      .tuple(fc.constantFrom(...parser.samples), fc.nat(200), fc.nat(200))
      .map(([sample, from, length]) => sample.slice(from, from + length)),
  );
  const broken = fc
    .tuple(fc.constantFrom(...parser.samples), fc.nat(), fc.nat(4), piece)
    .map(([sample, at, removed, inserted]) => {
      const position = at % (sample.length + 1);
      return sample.slice(0, position) + inserted + sample.slice(position + removed);
    });
  const text = fc.oneof(
    broken,
    fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join("")),
  );
  fc.assert(
    fc.property(text, (each) => tryText(parser, each)),
    fuzzRuns,
  );
  for (const sample of parser.samples) for (const each of nasty) tryText(parser, sample + each);
  for (const repeated of [...nasty, ...parser.samples]) {
    if (repeated === "") continue;
    tryLong(parser, repeated.repeat(Math.ceil(longInputChars / repeated.length)));
  }
  for (const sample of parser.samples) {
    const step = Math.max(1, Math.ceil(sample.length / placesOfFilling));
    for (let at = 1; at < sample.length; at += step)
      for (const each of filling)
        tryLong(parser, sample.slice(0, at) + each.repeat(longInputChars / each.length) + sample.slice(at));
  }
}

function tryLong(parser: FuzzedParser, text: string): void {
  let usedMs = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < longTries && usedMs >= longestMs; tries += 1) {
    const start = process.cpuUsage();
    tryText(parser, text);
    usedMs = Math.min(usedMs, process.cpuUsage(start).user / 1000);
  }
  assert.ok(
    usedMs < longestMs,
    `${parser.name} took ${usedMs} ms for ${text.length} characters of ${text.slice(0, 40)}`,
  );
}

function tryText(parser: FuzzedParser, text: string): void {
  try {
    parser.parse(text);
  } catch (error) {
    if (parser.isRefusal?.(error) === true) return;
    throw new Error(`${parser.name} failed on ${JSON.stringify(text.slice(0, 200))}: ${String(error)}`, {
      cause: error,
    });
  }
}
