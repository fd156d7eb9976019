import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SkytoolsError, StatementScanner } from "@skytools/skytools";
import fc from "fast-check";
import { consoleCommands } from "#src/command/command-table.js";
import { Completer } from "#src/completion/completer.js";
import { typedName } from "#src/completion/live-names.js";
import type { Grammar, NameList } from "#src/grammar/grammar.js";
import { parseStatement } from "#src/grammar/parse-statement.js";
import { syntaxError } from "#src/grammar/syntax-error.js";
import { consoleTokens } from "#src/grammar/token.js";
import { parseMetaLine } from "#src/meta/meta-line.js";
import { historyEntries } from "#src/terminal/history-entries.js";

function scan(text: string) {
  const scanner = new StatementScanner({ joinsNames: true });
  const [statement = scanner.rest] = scanner.add(text);
  return statement;
}

/** What a statement is, and what was chosen in it. */
function parsed(text: string) {
  const result = parseStatement(
    consoleCommands,
    consoleTokens(scan(text)).filter(({ text: word }) => word !== ";"),
  );
  return result.kind === "command" ? [result.command.lead, ...result.values.entries()] : result.kind;
}

describe("the grammar", () => {
  for (const [text, expected] of [
    ["SHOW Queue", ["show queue"]],
    ["show queue *", ["show queue", ["queue", "*"]]],
    ['show queue "A ""b"".c".D', ["show queue", ["queue", 'A "b".c.D']]],
    ["show queue ÄPFEL", ["show queue", ["queue", "Äpfel"]]],
    ["create queue E'\\xff'", "problem"],
    ["show queue Plain.Name", ["show queue", ["queue", "plain.name"]]],
    ["show consumer on on on", ["show consumer", ["consumer", "on"], ["on", "on"]]],
    ["show batch events", ["show batch", ["consumer", "events"]]],
    ["show batch events events", ["show batch events", ["consumer", "events"]]],
    ["show batch info 5", ["show batch info", ["batch", "5"]]],
    ["create queue show", ["create queue", ["queue", "show"]]],
    [
      "register consumer c at 5 on q at 6",
      ["register consumer", ["consumer", "c"], ["at", "5"], ["on", "q"], ["at", "6"]],
    ],
    ["register subconsumer 's ''1' for c", ["register subconsumer", ["subconsumer", "s '1"], ["for", "c"]]],
    ["connect password=$x$a'b$x$ host=h", ["connect", ["password", "a'b"], ["host", "h"]]],
    ["show timezone", "sql"],
    ["show", "sql"],
    ["create table queue (id int)", "sql"],
    ["drop table t", "sql"],
    ["delete from event", "sql"],
    ["(select 1)", "sql"],
    ["select queue from show", "sql"],
    ["alter queue q add x", "problem"],
    ["connect to", "problem"],
    ["londiste", "problem"],
    ["show queue 5", "problem"],
    ["connect host=127.0.0.1", "problem"],
    ["register consumer $1", "problem"],
    ['create queue u&"x"', "problem"],
    ["show batch c limit -5", "problem"],
  ] as const) {
    it(`reads ${text}`, () => assert.deepEqual(parsed(text), expected));
  }

  const problem = (text: string, place?: string) => {
    const statement = scan(text);
    const tokens = consoleTokens(statement).filter((token) => token.text !== ";");
    const result = parseStatement(consoleCommands, tokens);
    assert.equal(result.kind, "problem");
    return result.kind === "problem" ? syntaxError(result, statement, place).message : "";
  };

  it("marks the place where a command goes wrong", () => {
    assert.equal(
      problem("show queue\n  a b;", "x.qa:7"),
      'x.qa:7: syntax error 2: unexpected "b", expected ;\n    a b;\n      ^',
    );
    assert.equal(
      problem("drop queue  ;"),
      "syntax error 2: the command ends too early, expected QUEUE\n  drop queue  ;\n            ^",
    );
    assert.match(problem("create queue \\q;"), /^syntax error 1: /);
  });

  /** Words that a grammar allows, made at random. */
  const sentence = (grammar: Grammar): fc.Arbitrary<string> => {
    switch (grammar.kind) {
      case "word":
        return fc.constantFrom(grammar.word, grammar.word.toUpperCase());
      case "symbol":
        return fc.constant(grammar.symbol);
      case "value": {
        const forms = {
          name: ["q", '"Q q"', "a.b"],
          number: ["5", "1.5e3"],
          string: ["'x'", "e'\\'y'"],
          symbol: [],
          other: [],
        };
        return fc.constantFrom(...grammar.accepts.flatMap((kind) => forms[kind]));
      }
      case "sequence":
        return fc.tuple(...grammar.parts.map(sentence)).map((parts) => parts.join(" "));
      case "choice":
        return fc.oneof(...grammar.parts.map(sentence));
      case "optional":
        return fc.option(sentence(grammar.part)).map((text) => text ?? "");
      case "list":
        return fc
          .array(sentence(grammar.part), { minLength: 1, maxLength: 3 })
          .map((parts) => parts.join(" , "));
      case "repeat":
        return fc.array(sentence(grammar.part), { maxLength: 3 }).map((parts) => parts.join(" "));
    }
  };

  it("takes every sentence of every command as that command", () => {
    for (const command of consoleCommands) {
      fc.assert(
        fc.property(sentence(command.rest), (rest) => {
          const result = parsed(`${command.lead} ${rest};`);
          assert.ok(Array.isArray(result), `${command.lead} ${rest}: ${String(result)}`);
          assert.ok(
            command.lead.startsWith(String(result[0])),
            `${command.lead} ${rest}: ${String(result[0])}`,
          );
        }),
        { numRuns: 50 },
      );
    }
  });

  const words = consoleCommands.flatMap(({ lead }) => lead.split(" "));
  const debris = fc.constantFrom(
    ...new Set(words),
    "on",
    "for",
    "with",
    "set",
    "limit",
    "*",
    ",",
    "=",
    ";",
    "(",
    ")",
    "'",
    '"',
    "$$",
    "$a$",
    "--",
    "/*",
    "*/",
    "\\",
    "5",
    "q",
    '"Q"',
    "'s'",
    "\n",
    ".",
    "$1",
    "{x}",
    "é",
    "\0",
    "😀",
  );
  const anything = fc.oneof(
    fc.array(debris, { maxLength: 30 }).map((parts) => parts.join(" ")),
    fc.string({ unit: "binary", maxLength: 50 }),
  );

  it("takes any text for a command, for SQL, or for a problem that it can explain", () => {
    fc.assert(
      fc.property(anything, (text) => {
        const scanner = new StatementScanner({ joinsNames: true });
        for (const statement of [...scanner.add(text), scanner.rest]) {
          const tokens = consoleTokens(statement).filter((token) => token.text !== ";");
          if (tokens.length === 0) continue;
          const result = parseStatement(consoleCommands, tokens);
          if (result.kind === "problem")
            assert.match(syntaxError(result, statement, undefined).message, /syntax error/);
        }
      }),
      { numRuns: 500 },
    );
  });

  const lists: Partial<Record<NameList, string[]>> = {
    queue: ["orders", "My.Queue", "old.queue"],
    consumer: ["mailer"],
    table: ["public.users", "s.Odd one"],
    batch: ["17"],
  };
  const completer = new Completer({
    commands: consoleCommands,
    names: async (list) =>
      (lists[list] ?? []).map((name) => (list === "batch" ? { typed: name, plain: name } : typedName(name))),
  });

  for (const [text, candidates, replaced] of [
    [
      "",
      [
        "select ",
        "connect ",
        "disconnect ",
        "install ",
        "show ",
        "create ",
        "alter ",
        "drop ",
        "delete ",
        "register ",
        "unregister ",
        "londiste ",
        "exit ",
      ],
      "",
    ],
    ["dis", ["disconnect "], "dis"],
    ["SHO", ["SHOW "], "SHO"],
    ["select 1; show ve", ["version "], "ve"],
    ["show queue ", ["*", "orders", '"My.Queue"', "old.queue", ";"], ""],
    ["show queue or", ["orders"], "or"],
    ["show queue my", ['"My.Queue"'], "my"],
    ['show queue "M', ['"My.Queue"'], '"M'],
    ['show queue "or', ['"orders"'], '"or'],
    ["show queue old.", ["old.queue"], "old."],
    ["show queue orders ", [";"], ""],
    ["show queue\n  or", ["orders"], "or"],
    ["connect qu", ["queue="], "qu"],
    ["connect queue=", ["orders", '"My.Queue"', "old.queue"], ""],
    ["alter queue orders set max", ["max_count=", "max_lag='"], "max"],
    ["alter queue orders set max_lag='", [], ""],
    ["show batch 1", ["17"], "1"],
    ["show table us", ["public.users"], "us"],
    ["select * from pub", ["public.users"], "pub"],
    ["select ", [";"], ""],
    ["show queue x y", [], "y"],
    ["select 'show ", [], ""],
    ["/* show ", [], ""],
  ] as const) {
    it(`completes ${JSON.stringify(text)}`, async () =>
      assert.deepEqual(await completer.complete(text), [candidates, replaced]));
  }

  it("completes any text, and replaces no more than its end", async () => {
    await fc.assert(
      fc.asyncProperty(anything, async (text) => {
        const [, replaced] = await completer.complete(text);
        assert.ok(text.endsWith(replaced), `${text} does not end with ${replaced}`);
      }),
      { numRuns: 300 },
    );
  });
});

describe("what is typed at the prompt", () => {
  it("is kept as one line of history, without comments, unless a quoted text has line breaks", () => {
    assert.deepEqual(historyEntries([" select 1 -- one "]), ["select 1 -- one"]);
    assert.deepEqual(historyEntries(["select 1, -- one", "", "  2;"]), ["select 1, 2;"]);
    assert.deepEqual(historyEntries(["select 'a", "b';"]), ["select 'a", "b';"]);
    assert.deepEqual(historyEntries(["  "]), []);
  });

  it("may be a backslash command with quoted arguments", () => {
    const { command, args } = parseMetaLine(" \\c  'host=''x'' dbname=y' - ;");
    assert.deepEqual([command.name, args], ["c", ["host='x' dbname=y", "-"]]);
    assert.equal(parseMetaLine("\\?").command.name, "?");
    assert.throws(
      () => parseMetaLine("\\timin"),
      (error) => error instanceof SkytoolsError && /timing/.test(error.hint ?? ""),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseMetaLine(`\\${text}`);
        } catch (error) {
          assert.ok(error instanceof SkytoolsError);
        }
      }),
    );
  });
});
