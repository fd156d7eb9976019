import type { Config, ConfigError } from "@skytools/skytools";
import { fieldErrors } from "../loading/field-list.ts";
import { type bulkModes, type rowModes, tableKeys, type tableModes, tableSectionKeys } from "./table-keys.ts";

/** How one table is loaded. */
export interface TableSettings {
  readonly tableMode: (typeof tableModes)[number];
  readonly splitBy: "batch time" | "event time" | "date field";
  /** column, when it is split by date field */
  readonly splitField: string | undefined;
  /** with %(table_name)s and so on */
  readonly splitPart: string;
  readonly splitPartTemplate: string;
  readonly rowMode: (typeof rowModes)[number];
  readonly bulkMode: (typeof bulkModes)[number];
  readonly fields: string;
}

/** The settings of a table: those of its own section, else those of the main section.
 * @param table `schema.table`, plain
 * @throws ConfigError */
export function tableSettings(main: Config, table: string): TableSettings {
  const own = tableSections(main).get(table);
  const value = (key: string, otherKey = key) => {
    const keys = own?.keys() ?? [];
    const name = [key, otherKey].find((each) => keys.includes(each));
    return own === undefined || name === undefined ? main.get(key) : own.get(name);
  };
  const [, splitBy = "", , splitField] = splitModePattern.exec(value("split_mode")) ?? [];
  return {
    tableMode: value("table_mode", "mode") as TableSettings["tableMode"],
    splitBy: splitBy === "event" ? "event time" : splitField === undefined ? "batch time" : "date field",
    splitField,
    splitPart: value("split_part"),
    splitPartTemplate: value("split_part_template", "create_sql"),
    rowMode: value("row_mode") as TableSettings["rowMode"],
    bulkMode: value("bulk_mode") as TableSettings["bulkMode"],
    fields: value("fields"),
  };
}

const splitModePattern = /^by-(batch|event|date)-(time|field:(.+))$/;

/** Sections of tables by name: `[public.users]`, or `[table public.users]` as the original's documentation has it. */
export function tableSections(main: Config): Map<string, Config> {
  const names = main.sections().flatMap((section) => {
    const table = /^(?:table\s+)?(.+\..+)$/.exec(section)?.[1];
    return table === undefined ? [] : [[table, section] as const];
  });
  return new Map(
    names.map(([table, section]) => [table, main.openSection(section, { groups: [tableSectionKeys] })]),
  );
}

/** What is wrong with the settings of tables, in the main section and in others. */
export function tableFindings(main: Config): { errors: ConfigError[]; suspicions: ConfigError[] } {
  const errors = valueErrors(main);
  const suspicions = strayKeys(main);
  for (const section of tableSections(main).values()) {
    const found = section.findings();
    errors.push(...found.errors, ...(found.errors.length === 0 ? valueErrors(section) : []));
    suspicions.push(...found.suspicions);
  }
  return { errors, suspicions };
}

const partNames = ["table_name", "year", "month", "day", "hour"];
const templateNames = ["part", "dest", "parent", "pkey"];

function valueErrors(config: Config): ConfigError[] {
  const templateKey = config.keys().includes("create_sql") ? "create_sql" : "split_part_template";
  return [
    ...splitModeErrors(config),
    ...unknownNames(config, "split_part", partNames),
    ...unknownNames(config, templateKey, templateNames),
    ...fieldErrors(config),
  ];
}

function splitModeErrors(config: Config): ConfigError[] {
  const text = config.get("split_mode");
  const [, kind, of] = splitModePattern.exec(text) ?? [];
  if (kind !== undefined && (kind === "date") === (of !== "time")) return [];
  return [
    config.error("split_mode", `"${text}" is not one of by-batch-time, by-event-time, by-date-field:FIELD`),
  ];
}

function unknownNames(config: Config, key: string, known: readonly string[]): ConfigError[] {
  const names = [...config.get(key).matchAll(/%\(([^)]*)\)/g)].map(([, name = ""]) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return [];
  const hint = `There are ${known.map((name) => `%(${name})s`).join(", ")}; in the file each % is doubled.`;
  return [config.error(key, `there is no %(${unknown})s`, hint)];
}

/** A section without a dot in its name belongs to some other program, unless it looks like a table's. */
function strayKeys(main: Config): ConfigError[] {
  const own = [main.section, "queue_loader"];
  const others = main.sections().filter((name) => !name.includes(".") && !own.includes(name));
  return others.flatMap((name) => {
    const section = main.openSection(name);
    const key = section.keys().find((each) => tableKeys.some((known) => known.key === each));
    if (key === undefined) return [];
    return [section.error(key, `the section of a table is named like the table: [public.${name}]`)];
  });
}
