import type { Job, Switch } from "@skytools/skytools";
import { UsageError } from "@skytools/skytools";
import { type HandlerSpec, handlerSpecOf } from "../handler/handler-spec.ts";

/** Switches of add-table and change-handler. Source: spec/londiste.md section 3 */
export const triggerSwitches: readonly Switch[] = [
  { flags: "--handler <name>", doc: "what becomes of the events, see show-handlers" },
  { flags: "--handler-arg <key=value>", doc: "argument of the handler", repeatable: true },
  { flags: "--where <condition>", doc: "only rows that meet it, in copy and replay; handler filter" },
  { flags: "--no-triggers", doc: "do not put triggers on the table" },
  {
    flags: "--trigger-flags <flags>",
    doc: "letters: A after, B before; I U D operations; L J Q format of logutriga, jsontriga, sqltriga; S skip",
  },
  { flags: "--trigger-arg <arg>", doc: "argument of the trigger function", repeatable: true },
];

/** Tokens and arguments for the registration, of the switches alone.
 * @throws UsageError */
export function triggerArguments(job: Job): string[] {
  const flags = job.option("triggerFlags");
  if (flags !== undefined && !/^[ABIUDQLJS]+$/i.test(flags)) {
    throw new UsageError(`--trigger-flags: "${flags}" has letters other than A B I U D Q L J S`, {
      exitCode: 2,
    });
  }
  return [
    ...(flags === undefined ? [] : [`tgflags=${flags}`]),
    ...(job.flag("noTriggers") ? ["no_triggers"] : []),
    ...job.optionList("triggerArg"),
  ];
}

/** The handler that is asked for; undefined: the default one.
 * @throws UsageError */
export function handlerSwitches(job: Job): HandlerSpec | undefined {
  const condition = job.option("where");
  const name = job.option("handler");
  const values = job.optionList("handlerArg");
  if (condition !== undefined) {
    if (name !== undefined && name !== "filter") {
      throw new UsageError("--where is the handler filter, it does not go together with another", {
        hint: "A table has one handler.",
        exitCode: 2,
      });
    }
    return handlerSpecOf("filter", [...values, `where=${condition}`]);
  }
  if (name === undefined) {
    if (values.length > 0) throw new UsageError("--handler-arg without --handler", { exitCode: 2 });
    return undefined;
  }
  return handlerSpecOf(name, values);
}
