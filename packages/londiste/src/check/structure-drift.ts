import type { TableColumn, TableStructure } from "@skytools/skytools";

/** Something in which a table here is not what it is on the provider. */
export interface Drift {
  /** for example `column id` */
  readonly object: string;
  readonly provider: string;
  readonly here: string;
}

const absent = "absent";

/** Compares what replay depends on: columns with type and NOT NULL, the key, unique indexes, checks; and what acts on replay here.
 * Defaults, other indexes, comments, grants may differ. */
export function structureDrift(provider: TableStructure, here: TableStructure): Drift[] {
  return [
    ...columnDrift(provider, here),
    ...listDrift("primary key", keyOf(provider), keyOf(here)),
    ...listDrift("unique", uniques(provider), uniques(here)),
    ...listDrift("check", checks(provider), checks(here)),
    ...activeTriggers(here),
  ];
}

function columnDrift(provider: TableStructure, here: TableStructure): Drift[] {
  const names = new Set([...provider.columns, ...here.columns].map((column) => column.name));
  return [...names].flatMap((name) => {
    const there = describe(provider.column(name));
    const own = describe(here.column(name));
    return there === own ? [] : [{ object: `column ${name}`, provider: there, here: own }];
  });
}

function describe(column: TableColumn | undefined): string {
  if (column === undefined) return absent;
  return [
    column.type,
    ...(column.collation === undefined ? [] : [`collate ${column.collation}`]),
    ...(column.notNull ? ["not null"] : []),
    ...(column.generated === undefined ? [] : [`generated as (${column.generated})`]),
    ...(column.identity === undefined ? [] : [`identity ${column.identity}`]),
  ].join(" ");
}

function keyOf(table: TableStructure): string[] {
  return table.primaryKey.length === 0 ? [] : [`(${table.primaryKey.join(", ")})`];
}

/** By what they say, not by their names. */
function uniques(table: TableStructure): string[] {
  return table.indexes.filter((index) => index.isUnique && !index.isPrimary).map((index) => index.body);
}

function checks(table: TableStructure): string[] {
  return table.constraints.filter((item) => item.kind === "check").map((item) => item.definition);
}

function listDrift(object: string, provider: readonly string[], here: readonly string[]): Drift[] {
  return [
    ...provider
      .filter((item) => !here.includes(item))
      .map((item) => ({ object, provider: item, here: absent })),
    ...here
      .filter((item) => !provider.includes(item))
      .map((item) => ({ object, provider: absent, here: item })),
  ];
}

/** They fire although rows are written in role replica: replay goes event by event then. */
function activeTriggers(here: TableStructure): Drift[] {
  return here.triggers
    .filter((trigger) => trigger.enabled === "replica" || trigger.enabled === "always")
    .map((trigger) => ({
      object: `trigger ${trigger.name}`,
      provider: "does not matter",
      here: `enabled ${trigger.enabled}: acts on replay`,
    }));
}
