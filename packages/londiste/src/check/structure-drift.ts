import type { TableColumn, TableStructure } from "@skytools/skytools";

/** Something in which a table here is not what it is on the provider. */
export interface Drift {
  /** for example `column id` */
  readonly object: string;
  readonly provider: string;
  readonly here: string;
}

const absent = "absent";

/** Compares what replay depends on: columns with type and NOT NULL, the key, unique indexes, checks, exclusion constraints; what acts
 * on replay here; and triggers of the queue that somebody has disabled. The rest may differ, see failoverDrift(). */
export function structureDrift(provider: TableStructure, here: TableStructure): Drift[] {
  return [
    ...columnDrift(provider, here),
    ...definitionDrift("primary key", keyOf(provider), keyOf(here)),
    ...deferrableKey(provider),
    ...definitionDrift("unique", uniques(provider), uniques(here)),
    ...definitionDrift("check", constraints(provider, "check"), constraints(here, "check")),
    ...definitionDrift("exclusion", constraints(provider, "exclusion"), constraints(here, "exclusion")),
    ...activeTriggers(here),
    ...disabledCapture(provider, here),
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

/** Two rows may have such a key within a transaction: their events do not tell them apart. */
function deferrableKey(provider: TableStructure): Drift[] {
  const key = provider.constraints.find(({ kind }) => kind === "primary key");
  if (key === undefined || !/ DEFERRABLE/.test(key.definition)) return [];
  const what = `${key.definition}: rows that trade keys cannot be told apart`;
  return [{ object: "primary key", provider: what, here: "does not matter" }];
}

/** By what they say, not by their names. */
function uniques(table: TableStructure): string[] {
  return table.indexes.filter((index) => index.isUnique && !index.isPrimary).map((index) => index.body);
}

function constraints(table: TableStructure, kind: "check" | "exclusion"): string[] {
  return table.constraints.filter((item) => item.kind === kind).map((item) => item.definition);
}

/** What only one side has. */
export function definitionDrift(
  object: string,
  provider: readonly string[],
  here: readonly string[],
): Drift[] {
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

/** Changes go past the queue on the provider, or are accepted here. */
function disabledCapture(provider: TableStructure, here: TableStructure): Drift[] {
  const disabled = (table: TableStructure) =>
    table.triggers.filter(({ name, enabled }) => enabled === "disabled" && isOfQueue(name));
  return [
    ...disabled(provider).map(({ name }) => ({
      object: `trigger ${name}`,
      provider: "disabled: changes are not captured",
      here: "does not matter",
    })),
    ...disabled(here).map(({ name }) => ({
      object: `trigger ${name}`,
      provider: "does not matter",
      here: "disabled: changes here are not noticed",
    })),
  ];
}

function isOfQueue(triggerName: string): boolean {
  return /^(?:zzz_)?_londiste_/.test(triggerName);
}
