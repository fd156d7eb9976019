import { it } from "node:test";
import { SkytoolsError, StatementScanner } from "@skytools/skytools";
import { type FuzzedParser, fuzzParser } from "@skytools/testbed";
import { consoleCommands } from "#src/command/command-table.js";
import { Completer } from "#src/completion/completer.js";
import { parseStatement } from "#src/grammar/parse-statement.js";
import { syntaxError } from "#src/grammar/syntax-error.js";
import { consoleTokens } from "#src/grammar/token.js";
import { parseMetaLine } from "#src/meta/meta-line.js";
import { historyEntries } from "#src/terminal/history-entries.js";

const statements = [
  "register consumer c at 5 on q;",
  "connect password=$x$a'b$x$ host=h;",
  'show queue "A ""b"".c".D;',
  "londiste add table a, b with handler='x';",
  "alter queue * set ticker_max_lag='5 s', ticker_max_count=1;",
  "select 'a;b' from t; -- end",
];
const isRefusal = (error: unknown): boolean => error instanceof SkytoolsError;

function readStatements(text: string): void {
  const scanner = new StatementScanner({ joinsNames: true });
  for (const statement of [...scanner.add(text), scanner.rest]) {
    const tokens = consoleTokens(statement).filter((token) => token.text !== ";");
    if (tokens.length === 0) continue;
    const result = parseStatement(consoleCommands, tokens);
    if (result.kind === "problem") syntaxError(result, statement, undefined);
  }
}

const completer = new Completer({ commands: consoleCommands, names: async () => [] });

/** Every reader of this package for what is typed or stands in a script. */
const parsers: readonly FuzzedParser[] = [
  { name: "statements", parse: readStatements, samples: statements },
  {
    name: "parseMetaLine",
    parse: (text) => parseMetaLine(`\\d x${text}y`),
    samples: [" 'a b' x;", " db1 ;"],
  },
  { name: "historyEntries", parse: (text) => historyEntries(text.split("\n")), samples: statements },
  { name: "complete", parse: (text) => completer.complete(text), samples: statements },
];

for (const parser of parsers) {
  it(`${parser.name} reads or refuses whatever comes, soon`, () => fuzzParser({ isRefusal, ...parser }));
}
