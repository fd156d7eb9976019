import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type SqlTokensOptions, sqlTokens } from "#src/index.js";

const kinds = (text: string, options?: SqlTokensOptions) =>
  [...sqlTokens(text, options)].map(({ kind, text }) => `${kind} ${text}`);

for (const [text, expected, options] of [
  ["select a.b", ["identifier select", "space  ", "identifier a", "symbol .", "identifier b"], {}],
  ['"A ""b"."c".d$1', ['identifier "A ""b"."c".d$1'], { joinsNames: true }],
  ["$1+$12::int", ["argument $1", "symbol +", "argument $12", "symbol :", "symbol :", "identifier int"], {}],
  ["$$a;b$$ $x$ $$ $x$", ["dollar string $$a;b$$", "space  ", "dollar string $x$ $$ $x$"], {}],
  ["-- c\n /* a /* b */ c */x", ["space -- c\n ", "space /* a /* b */ c */", "identifier x"], {}],
  ["a<=-1.5e3--x", ["identifier a", "symbol <=-", "number 1.5e3", "space --x"], {}],
  ["%(a.b)s {x:int}", ["placeholder %(a.b)s", "space  ", "placeholder {x:int}"], {}],
  [
    "'a''b\\' E'a\\'b' U&'x' b'1'",
    ["string 'a''b\\'", "space  ", "string E'a\\'b'", "space  ", "string U&'x'", "space  ", "string b'1'"],
    {},
  ],
  ["'a\\'b'", ["string 'a\\'b'"], { standardStrings: false }],
  ["'open", ["error '", "identifier open"], {}],
  ["--a\rb", ["space --a\r", "identifier b"], {}],
  ["\u00a0$$ é😀", ["identifier \u00a0$$", "space  ", "identifier é😀"], {}],
  ["$x$ open", ["error $x$ open"], {}],
] as const) {
  test(`tokens of ${text}`, () => assert.deepEqual(kinds(text, options), expected));
}

test("the tokens of any text are the text", () => {
  const piece = fc.constantFrom(
    "select ",
    "'a'",
    "E'\\''",
    "$$",
    "$a$",
    "--\n",
    "/*",
    "*/",
    '"',
    "'",
    "\\",
    ";",
    "1.",
    "$1",
    "{",
    "é",
    "\n",
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const text = pieces.join("");
      assert.equal([...sqlTokens(text)].map((token) => token.text).join(""), text);
    }),
  );
});

test("a quoted name of megabytes is read, and an empty one is none", () => {
  assert.equal([...sqlTokens(`"${"x".repeat(10_000_000)}"`)].length, 1);
  for (const [text, first] of [
    ['""', '"'],
    ['"""', '"'],
    ['""""', '""""'],
    ['"a""b"', '"a""b"'],
    ['"a""', '"a"'],
  ])
    assert.equal([...sqlTokens(text!)][0]?.text, first);
});
