import type { RandomSource } from "@skytools/testbed";
import { constrainedTables } from "./constrained-tables.js";
import { everydayTables } from "./everyday-tables.js";
import type { HostileTable } from "./hostile-table.js";
import { namedTables } from "./named-tables.js";
import { typeTable } from "./type-table.js";

export const hostileTables: readonly HostileTable[] = [
  ...everydayTables,
  ...constrainedTables,
  ...namedTables,
  typeTable,
];

/** One row for every transaction, never copied anew: what is lost is missing here, what comes twice collides. */
export const ledgerTable: HostileTable = {
  name: "public.ledger",
  create: "create table public.ledger (writer int, nr int8, primary key (writer, nr))",
  statements: [],
};

/** Settings that applications use, all of which change how values look. */
export const writerSettings = [
  "",
  "set datestyle = 'German'; set timezone = 'Asia/Kolkata'",
  "set extra_float_digits = -10; set bytea_output = 'escape'",
  "set intervalstyle = 'sql_standard'; set datestyle = 'SQL, DMY'; set timezone = 'America/New_York'",
  "set search_path = pg_temp; set standard_conforming_strings = off",
] as const;

/** One statement that an application might run. */
export function randomStatement(random: RandomSource): string {
  const draw = { id: random.int(1, 100), other: random.int(1, 100), small: random.int(1, 12), random };
  return random.pick(random.pick(hostileTables).statements)(draw);
}
