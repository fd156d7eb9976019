import {
  choice,
  type Grammar,
  list,
  name,
  nothing,
  optional,
  sequence,
  setting,
  text,
  word,
} from "../grammar/grammar.ts";
import type { ConsoleCommand } from "./command.ts";
import { atomically, type CommandContext } from "./command-context.ts";
import type { CommandValues } from "./command-values.ts";
import { LondisteCall } from "./londiste-call.ts";

const flags = ["skip_truncate", "expect_sync", "backup", "skip", "no_triggers"];
const settings = [
  "ev_ignore",
  "ev_type",
  "ev_data",
  "ev_extra1",
  "ev_extra2",
  "ev_extra3",
  "ev_extra4",
  "pkey",
  "when",
  "tgflags",
];

const tableOption: Grammar = choice(
  ...flags.map((flag) => word(flag, flag)),
  ...settings.map((key) => setting(key, text(key, key === "tgflags" ? "AIUDL" : "SQL"))),
);

/** Source of all: spec/qadmin.md 5 */
export const londisteAddTableCommand: ConsoleCommand = {
  lead: "londiste add table",
  rest: sequence(list(name("table", "TABLE", "new table")), optional(word("with"), list(tableOption))),
  summary:
    "replicate tables; tgflags are letters: I U D operations, A after, B before, L logutriga, Q sqltriga, S skip",
  run: (context, values) =>
    callForEach(context, values.all("table"), "add table", "ADD_TABLE", (call, table) =>
      call.addTable(table, triggerArguments(values)),
    ),
};

export const londisteAddSequenceCommand: ConsoleCommand = {
  lead: "londiste add sequence",
  rest: list(name("sequence", "SEQUENCE", "new sequence")),
  summary: "replicate sequences",
  run: (context, values) =>
    callForEach(context, values.all("sequence"), "add sequence", "ADD_SEQ", (call, each) =>
      call.addSequence(each),
    ),
};

export const londisteRemoveTableCommand: ConsoleCommand = {
  lead: "londiste remove table",
  rest: list(name("table", "TABLE", "set table")),
  summary: "stop replicating tables; on the root for the whole set",
  run: async (context, values) => {
    const tables = values.all("table");
    await context.confirm(`stop replicating ${tables.join(", ")} in queue ${context.queue(undefined)}`);
    await callForEach(context, tables, "remove table", "REMOVE_TABLE", (call, table) =>
      call.removeTable(table),
    );
  },
};

export const londisteRemoveSequenceCommand: ConsoleCommand = {
  lead: "londiste remove sequence",
  rest: list(name("sequence", "SEQUENCE", "set sequence")),
  summary: "stop replicating sequences",
  run: async (context, values) => {
    const sequences = values.all("sequence");
    await context.confirm(`stop replicating ${sequences.join(", ")} in queue ${context.queue(undefined)}`);
    await callForEach(context, sequences, "remove sequence", "REMOVE_SEQ", (call, each) =>
      call.removeSequence(each),
    );
  },
};

export const londisteMissingCommand: ConsoleCommand = {
  lead: "londiste missing",
  rest: nothing,
  summary: "tables and sequences that could be replicated here",
  run: async (context) => {
    const queue = context.queue(undefined);
    await context.show(
      `Missing objects on queue "${queue}":`,
      "select * from londiste.local_show_missing($1)",
      [queue],
    );
  },
};

export const londisteTablesCommand: ConsoleCommand = {
  lead: "londiste tables",
  rest: nothing,
  summary: "replicated tables of this node",
  run: async (context) => {
    const queue = context.queue(undefined);
    const sql = `select table_name, local, merge_state, custom_snapshot, table_attrs, dropped_ddl, copy_role, copy_pos, dest_table
                   from londiste.get_table_list($1) where local`;
    await context.show(`Tables on queue "${queue}":`, sql, [queue]);
  },
};

export const londisteSequencesCommand: ConsoleCommand = {
  lead: "londiste seqs",
  rest: nothing,
  summary: "replicated sequences of this node",
  run: async (context) => {
    const queue = context.queue(undefined);
    const sql = "select seq_name, last_value, local from londiste.get_seq_list($1) where local";
    await context.show(`Sequences on queue "${queue}":`, sql, [queue]);
  },
};

/** Flags by name, settings as `key=value`; the server calls one of them otherwise. */
function triggerArguments(values: CommandValues): string[] {
  return [
    ...flags.filter((flag) => values.has(flag)),
    ...settings
      .filter((key) => values.has(key))
      .map((key) => `${key === "ev_ignore" ? "ignore" : key}=${values.required(key)}`),
  ];
}

/** One call for each object, all of them or none. */
async function callForEach(
  context: CommandContext,
  names: readonly string[],
  what: string,
  status: string,
  body: (call: LondisteCall, name: string) => Promise<string>,
): Promise<void> {
  const queue = context.queue(undefined);
  await context.change(`${what} ${names.join(", ")} in ${queue}`, status, async (db) => {
    const call = new LondisteCall(db, queue);
    await atomically(db, async () => {
      for (const each of names) context.printer.message(await body(call, each));
    });
  });
}
