import assert from "node:assert/strict";
import { test } from "node:test";
import type { Program } from "#src/index.js";
import { parseCommandLine, switchValues } from "#src/script/command-line.js";
import { checkOperands } from "#src/script/operands.js";
import { parseSwitch, SwitchTable } from "#src/script/switch-table.js";

const run = async () => {};
const program: Program = {
  service: "prog",
  version: "1",
  summary: "x",
  config: [],
  switches: [{ flags: "--node <name>", doc: "node" }],
  startupSwitches: [{ flags: "--rewind", doc: "rewind", run }],
  commands: [
    {
      name: "add-table",
      args: "TABLE...",
      summary: "add",
      pidfile: "admin",
      switches: [
        { flags: "--all", doc: "all" },
        { flags: "--dest-table <name>", doc: "dest" },
        { flags: "--handler <name>", doc: "handler", default: "londiste" },
        { flags: "--handler-arg <k=v...>", doc: "args" },
        { flags: "--no-triggers", doc: "none" },
      ],
      run,
    },
    {
      name: "status",
      args: "",
      summary: "status",
      pidfile: "none",
      switches: [{ flags: "--dest-nation", doc: "x" }],
      run,
    },
  ],
};
const table = new SwitchTable(program);

function parse(text: string) {
  const line = parseCommandLine(
    program,
    table,
    text.split(" ").filter((word) => word !== ""),
  );
  return { ...line, values: switchValues(table, line.command, line.given) };
}

function complaint(text: string): { message: string; exitCode: number } {
  try {
    parse(text);
  } catch (error) {
    return error as { message: string; exitCode: number };
  }
  return assert.fail(`no complaint about: ${text}`);
}

test("switches and operands may be mixed", () => {
  const { operands, values } = parse(
    "-v c.ini --all add-table --dest-table d t1 --handler-arg=a=1 t2 --handler-arg b=-2 -q",
  );
  assert.deepEqual(operands, ["c.ini", "add-table", "t1", "t2"]);
  assert.deepEqual(values, { all: true, destTable: "d", handler: "londiste", handlerArg: ["a=1", "b=-2"] });
});

test("a switch that begins with no- is a switch of its own", () => {
  assert.equal(parse("c.ini add-table t --no-triggers").values.noTriggers, true);
  assert.equal("noTriggers" in parse("c.ini add-table t").values, false);
});

test("short switches may be bundled and verbosity adds up", () => {
  const { verbosity, isQuiet, isDaemon } = parse("-qdv c.ini add-table t -v --verb");
  assert.deepEqual({ verbosity, isQuiet, isDaemon }, { verbosity: 3, isQuiet: true, isDaemon: true });
});

test("long switches may be abbreviated as far as they stay unique for the command", () => {
  assert.equal(parse("c.ini add-table t --dest x").values.destTable, "x");
  assert.equal(parse("c.ini add-table t --dest=x").values.destTable, "x");
  assert.equal(parse("c.ini status --dest").values.destNation, true);
  assert.equal(parse("c.ini add-table t --handler x").values.handler, "x");
  assert.equal(parse("--dest-t x c.ini add_table t").values.destTable, "x");
  assert.deepEqual(
    complaint("c.ini add-table t --handle x").message,
    "ambiguous option: --handle (--handler, --handler-arg?)",
  );
});

test("everything behind -- is an operand", () => {
  assert.deepEqual(parse("c.ini add-table -- --all -t").operands, ["c.ini", "add-table", "--all", "-t"]);
});

test("the last of -r, -s, -k wins, and what needs no file goes first", () => {
  assert.equal(parse("c.ini -rs").request, "SIGINT");
  assert.equal(parse("c.ini -s -k").request, "SIGTERM");
  assert.equal(parse("c.ini --kill --reload").request, "SIGHUP");
  assert.equal(parse("-s --version").request, "version");
  assert.equal(parse("--ini -V -h").request, "help");
});

test("overrides are split at the first equals sign", () => {
  assert.deepEqual(parse("c.ini --set A=b=c status --set x=").overrides, { a: "b=c", x: "" });
  assert.deepEqual(complaint("c.ini --set nothing").message, '--set wants PARAM=VALUE, got "nothing"');
});

for (const [text, message] of [
  ["c.ini status --nope", /^unknown option '--nope'/],
  ["c.ini status -x", /^unknown option '-x'/],
  ["c.ini status --verbos3", /^unknown option '--verbos3'\n?.*verbose/s],
  ["c.ini add-table t --dest-table", /^option '--dest-table <name>' argument missing/],
  ["c.ini status --quiet=3", /^unknown option '--quiet=3'/],
  ["c.ini status --all", /^option --all is not for command "status"/],
] as const) {
  test(`"${text}" is refused with exit code 2`, () => {
    const error = complaint(text);
    assert.match(error.message, message);
    assert.equal(error.exitCode, 2);
  });
}

test("the number of operands is checked and told", () => {
  const message = (usage: string, operands: string[]) => {
    try {
      checkOperands("command 'c'", usage, operands);
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.equal(message("NAME [CONNSTR]", ["a"]), "");
  assert.equal(message("[TABLE...]", []), "");
  assert.equal(message("<TABLE...>", ["a", "b"]), "");
  assert.equal(message("A B", ["a"]), "command 'c' got 1 args, but expects 2: A B");
  assert.equal(message("", ["a"]), "command 'c' got 1 args, but expects 0");
  assert.equal(message("NAME [CONNSTR]", []), "command 'c' got 0 args, but expects 1 to 2: NAME [CONNSTR]");
  assert.equal(message("TABLE...", []), "command 'c' got 0 args, but expects at least 1: TABLE...");
});

test("a switch in two forms or in bad form is a mistake of the program", () => {
  assert.throws(() => parseSwitch({ flags: "-all", doc: "" }), /bad flags/);
  const other = {
    name: "other",
    args: "",
    summary: "",
    pidfile: "none",
    switches: [{ flags: "--all <x>", doc: "" }],
  } as const;
  assert.throws(
    () => new SwitchTable({ ...program, commands: [...(program.commands ?? []), other] }),
    /two forms/,
  );
});
