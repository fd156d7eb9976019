import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { editDistance, nearestName } from "#src/config/nearest-name.js";
import { Config, type ConfigGroup, type ConfigKey } from "#src/index.js";

const keys: readonly ConfigKey[] = [
  { key: "queue_name", type: "string", required: true, doc: "the queue" },
  { key: "loop_delay", type: "float", min: 0, max: 60, default: "1", doc: "seconds" },
  { key: "lazy_fetch", type: "int", doc: "rows" },
  { key: "buffer", type: "bytes", min: 1024, doc: "size" },
  { key: "fast", type: "boolean", doc: "speed" },
  { key: "mode", type: "choice", choices: ["a", "b"], doc: "mode" },
  { key: "db", type: "connstr", doc: "database" },
];
const groups: readonly ConfigGroup[] = [{ title: "t", keys, openKeys: /^tables?\.[a-z]+$/ }];

function findings(body: string) {
  const config = Config.parse(`[s]\n${body}`, "s", { file: "f.ini", groups });
  const { errors, suspicions } = config.findings();
  return { errors: errors.map((each) => each.message), suspicions: suspicions.map((each) => each.message) };
}

for (const [what, body, expected] of [
  ["missing required key", "", "f.ini: [s] queue_name: required key is not set"],
  ["empty required key", "queue_name =\n", "f.ini:2: [s] queue_name: required key is not set"],
  ["bad number", "queue_name=q\nloop_delay = often\n", 'f.ini:3: [s] loop_delay: "often" is not a number'],
  ["number below its range", "queue_name=q\nloop_delay = -1\n", "f.ini:3: [s] loop_delay: -1 is less than 0"],
  [
    "number above its range",
    "queue_name=q\nloop_delay = 61\n",
    "f.ini:3: [s] loop_delay: 61 is more than 60",
  ],
  [
    "bad integer",
    "queue_name=q\n\nlazy_fetch = 1.5\n",
    'f.ini:4: [s] lazy_fetch: "1.5" is not a whole number',
  ],
  ["small size", "queue_name=q\nbuffer = 1000\n", "f.ini:3: [s] buffer: 1000 is less than 1024"],
  ["bad boolean", "queue_name=q\nfast = maybe\n", /^f\.ini:3: \[s\] fast: "maybe" is not a boolean/],
  ["bad choice", "queue_name=q\nmode = c\n", 'f.ini:3: [s] mode: "c" is not one of a, b'],
  [
    "bad connect string",
    "queue_name=q\ndb = dbname=x hots=y\n",
    /^f\.ini:3: \[s\] db: invalid connection option "hots"/,
  ],
  ["bad reference", "queue_name = %(nope)s\n", 'f.ini:2: [s] queue_name: refers to "nope", which is not set'],
] as const) {
  test(`${what} is one error with its place`, () => {
    const { errors } = findings(body);
    assert.equal(errors.length, 1, errors.join("\n"));
    if (typeof expected === "string") assert.equal(errors[0], expected);
    else assert.match(errors[0]!, expected);
  });
}

test("all bad values are found at once", () => {
  assert.equal(findings("loop_delay = x\nfast = y\n").errors.length, 3);
});

test("a bad connect string does not show its password", () => {
  const { errors } = findings("queue_name=q\ndb = host=h pasword=secret\n");
  assert.equal(errors.length, 1);
  assert.doesNotMatch(errors[0]!, /secret/);
});

test("an unknown key is a suspicion with the nearest known name", () => {
  assert.deepEqual(findings("queue_name=q\nlop_delay = 1\nzzzz = 2\n"), {
    errors: [],
    suspicions: [
      "f.ini:3: [s] lop_delay: unknown key, perhaps loop_delay is meant",
      "f.ini:4: [s] zzzz: unknown key",
    ],
  });
});

test("keys that are implicit, open, referred to, or in DEFAULT are no suspicion", () => {
  const config = Config.parse(
    "[DEFAULT]\nanything = 1\n[s]\nqueue_name = %(base)s\nbase = q\njob_name = j\ntable.x = 1\n",
    "s",
    { file: "f.ini", groups },
  );
  assert.deepEqual(config.findings(), { errors: [], suspicions: [] });
});

test("a comment behind a value is a suspicion", () => {
  assert.deepEqual(findings("queue_name = q ; the queue\n").suspicions, [
    'f.ini:2: [s] queue_name: the text after " ;" is part of the value: comments need lines of their own',
  ]);
});

test("swapped neighbours are one mistake", () => {
  assert.equal(editDistance("queue", "quuee"), 1);
  assert.equal(editDistance("abc", ""), 3);
  assert.equal(editDistance("kitten", "sitting"), 3);
  assert.equal(nearestName("quuee_name", ["node_name", "queue_name"]), "queue_name");
  assert.equal(nearestName("xy", ["abcdef"]), undefined);
});

test("edit distance is a metric up to its bounds (property)", () => {
  const word = fc.stringMatching(/^[abc]{0,6}$/);
  fc.assert(
    fc.property(word, word, (a, b) => {
      const distance = editDistance(a, b);
      assert.equal(distance, editDistance(b, a));
      assert.equal(distance === 0, a === b);
      assert.ok(distance <= Math.max(a.length, b.length));
      assert.ok(distance >= Math.abs(a.length - b.length));
    }),
  );
});
