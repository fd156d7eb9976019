import { quoteIdent } from "../quoting/quote-ident.ts";
import { withTable } from "./definition-split.ts";
import type { EnableMode, TableRule, TableTrigger } from "./table-parts.ts";
import type { TableStructure } from "./table-structure.ts";

/** The statements that create a trigger on a table, enable mode included.
 * @param target the table as SQL; default: its own */
export function createTriggerSql(
  table: TableStructure,
  trigger: TableTrigger,
  target: string = table.quotedName,
): string[] {
  return [
    withTable(trigger.definition, " ON ", table.quotedName, target),
    ...enableSql(target, "trigger", trigger),
  ];
}

/** The statements that create a rule on a table, enable mode included. Where the rule's action names its table, it goes on
 * naming the original.
 * @param target the table as SQL; default: its own */
export function createRuleSql(
  table: TableStructure,
  rule: TableRule,
  target: string = table.quotedName,
): string[] {
  const definition = rule.definition.replace(/;\s*$/, "");
  return [withTable(definition, " TO ", table.quotedName, target), ...enableSql(target, "rule", rule)];
}

const enableWords: Readonly<Record<EnableMode, string>> = {
  origin: "enable",
  disabled: "disable",
  replica: "enable replica",
  always: "enable always",
};

function enableSql(
  target: string,
  kind: "rule" | "trigger",
  item: { readonly name: string; readonly enabled: EnableMode },
): string[] {
  if (item.enabled === "origin") return [];
  return [`alter table ${target} ${enableWords[item.enabled]} ${kind} ${quoteIdent(item.name)}`];
}
