import assert from "node:assert/strict";
import { test } from "node:test";
import { whyNotBetweenParentheses } from "#src/index.js";

for (const good of [
  "id > 10",
  "name = 'a;b) --' and \"odd;)\" is null",
  "note = $$;)$$ or note = $x$ $$ ; $x$",
  "exists (select from other o where o.id = t.id /* ; ( */)",
  "a = E'it\\'s ;' -- because\n",
  "x = 'a'\n'b;' /* -- */",
  "preis > 10 and größe = 'ü'",
  "tags @> array['a'] and (data -> 'b') ->> 'c' = 'd'",
])
  test(`stands between parentheses: ${JSON.stringify(good)}`, () =>
    assert.equal(whyNotBetweenParentheses(good), undefined));

for (const [bad, reason] of [
  ["", "is empty"],
  [" -- nothing\n", "is empty"],
  ["true); drop table x; --", 'has a ")" without its "("'],
  ["true) or (true", 'has a ")" without its "("'],
  ["true; drop table x", 'has a ";"'],
  ["f(1", 'has a "(" without its ")"'],
  ["id > 1 -- and more", "ends in a comment"],
  ["true --\r) ; drop table x; select (1", 'has a ")" without its "("'],
  ["a = 'open", 'cannot be read from "\'" on'],
  ["a = $x$ open", 'cannot be read from "$x$ open" on'],
  ["/* open", 'cannot be read from "/* open" on'],
  ['a = "open', 'cannot be read from "\\"" on'],
  ["a = e'x'\n'\\''  ) ; drop table x; --'", "has a string that goes on as one of another kind"],
  // For the server these are names that end in $$, and no strings.
  ["\u00a0$$ ) ; drop table x; -- $$", 'has a ")" without its "("'],
  ["a$$ ) ; drop table x; -- $$", 'has a ")" without its "("'],
  ["a = $1", "has $1, which stands for nothing"],
  ["a %(;)s", "has %(;)s, which stands for nothing"],
] as const)
  test(`does not: ${JSON.stringify(bad)}`, () => assert.equal(whyNotBetweenParentheses(bad), reason));
