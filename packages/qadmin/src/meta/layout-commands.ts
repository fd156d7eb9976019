import { UsageError } from "@skytools/skytools";
import type { MetaCommand } from "./meta-command.ts";

export const expandedCommand: MetaCommand = {
  name: "x",
  args: "[on|off]",
  summary: "a line for each column instead of a table",
  completes: ["on", "off"],
  run: async ({ layout, write }, [wanted]) => {
    if (layout === undefined) throw new UsageError("results are JSON");
    layout.isExpanded = switched(wanted, layout.isExpanded);
    write(`Expanded display is ${layout.isExpanded ? "on" : "off"}.\n`);
  },
};

export const timingCommand: MetaCommand = {
  name: "timing",
  args: "[on|off]",
  summary: "tell how long commands take",
  completes: ["on", "off"],
  run: async (context, [wanted]) => {
    context.isTimed = switched(wanted, context.isTimed);
    context.write(`Timing is ${context.isTimed ? "on" : "off"}.\n`);
  },
};

export const nullCommand: MetaCommand = {
  name: "null",
  args: "[TEXT]",
  summary: "what stands for null in tables; nothing at the start",
  run: async ({ layout, write }, [text = ""]) => {
    if (layout === undefined) throw new UsageError("results are JSON");
    layout.nullText = text;
    write(`Null display is "${text}".\n`);
  },
};

function switched(wanted: string | undefined, now: boolean): boolean {
  if (wanted === undefined) return !now;
  if (/^(on|true|1)$/i.test(wanted)) return true;
  if (/^(off|false|0)$/i.test(wanted)) return false;
  throw new UsageError(`on or off, not "${wanted}"`);
}
