import type { TableStructure } from "@skytools/skytools";
import { type Drift, definitionDrift } from "./structure-drift.ts";

/** Compares what replay does not need and a node that becomes the root does: defaults, all indexes, foreign keys, triggers of the
 * application, rules, policies, sequences, owner and grants. By what they say where their names do not matter. */
export function failoverDrift(provider: TableStructure, here: TableStructure): Drift[] {
  const both = (object: string, list: (table: TableStructure) => readonly string[]): Drift[] =>
    definitionDrift(object, list(provider), list(here));
  return [
    ...defaultDrift(provider, here),
    ...both("index", plainIndexes),
    ...both("foreign key", (table) => table.foreignKeys.map(({ definition }) => definition)),
    ...both("trigger", applicationTriggers),
    ...both("rule", (table) => table.rules.map(({ name, enabled }) => `${name} (${enabled})`)),
    ...both("row level security", rowSecurity),
    ...both("owned sequence", (table) =>
      table.ownedSequences.map(({ column, settings }) => `of ${column}: ${settings}`),
    ),
    ...both("owner", (table) => [table.owner]),
    ...both("grant", grants),
  ];
}

function defaultDrift(provider: TableStructure, here: TableStructure): Drift[] {
  return provider.columns.flatMap(({ name, default: there }) => {
    const own = here.column(name);
    if (own === undefined || own.default === there) return [];
    return [{ object: `default of ${name}`, provider: there ?? "none", here: own.default ?? "none" }];
  });
}

function plainIndexes(table: TableStructure): string[] {
  return table.indexes.filter((index) => !index.isUnique).map((index) => index.body);
}

/** The queue has triggers of its own on each node. */
function applicationTriggers(table: TableStructure): string[] {
  return table.triggers
    .filter((trigger) => !isOfQueue(trigger.function))
    .map((trigger) => `${trigger.name} calls ${trigger.function}() (${trigger.enabled})`);
}

function isOfQueue(name: string): boolean {
  return name.startsWith("pgq.") || name.startsWith("londiste.");
}

function rowSecurity(table: TableStructure): string[] {
  const policies = table.policies.map(({ name, command, roles, using, check }) =>
    [
      `policy ${name} for ${command} to ${roles?.join(", ") ?? "public"}`,
      ...(using === undefined ? [] : [`using (${using})`]),
      ...(check === undefined ? [] : [`with check (${check})`]),
    ].join(" "),
  );
  return [...(table.hasRowSecurity ? ["enabled"] : []), ...policies];
}

function grants(table: TableStructure): string[] {
  return table.grants
    .filter(({ grantee }) => grantee !== table.owner)
    .map(({ grantee, privilege, column }) =>
      [privilege, ...(column === undefined ? [] : [`(${column})`]), `to ${grantee ?? "public"}`].join(" "),
    );
}
