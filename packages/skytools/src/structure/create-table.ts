import { fqName, quoteFqIdent, quoteIdent, splitFqName } from "../quoting/quote-ident.ts";
import { createRowSecurity, grantSql, knownGrants, revokeSql } from "./access-sql.ts";
import { alterColumns, columnStorage, createSequences, createStatement, ownSequences } from "./column-sql.ts";
import { createComments } from "./comment-sql.ts";
import {
  addConstraints,
  constraintName,
  createIndexes,
  createStatistics,
  freeIndexes,
  indexMarks,
  statisticsName,
  wantedConstraints,
} from "./index-sql.ts";
import { addForeignKeySql, joinParents, leaveParents } from "./relation-sql.ts";
import { basicParts, type PartTarget, type TablePart } from "./table-part.ts";
import type { TableTrigger } from "./table-parts.ts";
import type { TableStructure } from "./table-structure.ts";
import { createRuleSql, createTriggerSql } from "./trigger-sql.ts";

export interface CreateTableOptions {
  /** `schema.table`, plain; default: the name of the original */
  readonly name?: string;
  /** default {@link basicParts}. Without `table` the other parts are made for a table that is there. */
  readonly parts?: readonly TablePart[];
  /** what constraints with an index, indexes and statistics are called instead; see freshIndexNames() */
  readonly indexNames?: ReadonlyMap<string, string>;
  /** of the server where the statements will run, as Database.serverVersion: what an older release lacks is left out or
   * replaced; default: the newest */
  readonly serverVersion?: number;
}

/** The statements that create a table like the original, or parts of it, in order, without closing semicolons. Types,
 * collations, functions, roles and other tables that the parts name must exist; sequences of serial columns are created where
 * they are missing. A partitioned table becomes a plain one unless partitioning is asked for; its partitions are tables of
 * their own.
 * Source: spec/framework.md 7.4; spec/londiste.md 4 (`--create`, `--create-full`). */
export function createTableSql(table: TableStructure, options: CreateTableOptions = {}): string[] {
  const target = targetOf(table, options);
  const { quoted } = target;
  const ifWanted = (part: TablePart, make: () => string[]) => (target.parts.has(part) ? make() : []);
  return [
    ...ifWanted("defaults", () => createSequences(table)),
    ...(target.parts.has("table") ? [createStatement(table, target)] : alterColumns(table, target)),
    ...ifWanted("defaults", () => ownSequences(table, target)),
    ...ifWanted("storage", () => columnStorage(table, target)),
    ...addConstraints(table, target),
    ...ifWanted("indexes", () => createIndexes(table, target)),
    ...indexMarks(table, target),
    ...ifWanted("statistics", () => createStatistics(table, target)),
    ...ifWanted("triggers", () =>
      ownTriggers(table).flatMap((item) => createTriggerSql(table, item, quoted)),
    ),
    ...ifWanted("rules", () => table.rules.flatMap((item) => createRuleSql(table, item, quoted))),
    ...ifWanted("row security", () => createRowSecurity(table, quoted)),
    ...ifWanted("grants", () =>
      knownGrants(table, target.serverVersion).map((item) => grantSql(item, quoted)),
    ),
    ...ifWanted("inheritance", () => joinParents(table, quoted)),
    ...ifWanted("foreign keys", () => ownForeignKeys(table).map((item) => addForeignKeySql(item, quoted))),
    ...ifWanted("comments", () => createComments(table, target)),
    ...ifWanted("owner", () => [`alter table ${quoted} owner to ${quoteIdent(table.owner)}`]),
  ];
}

/** The statements that drop a table, or parts of it, in the opposite order of their creation. What belongs to a parent stays.
 * Owner, storage, comments and the like cannot be dropped and are passed over. */
export function dropTableSql(table: TableStructure, options: CreateTableOptions = {}): string[] {
  const target = targetOf(table, options);
  const { quoted, parts } = target;
  if (parts.has("table")) return [`drop table ${quoted}`];
  const ifWanted = (part: TablePart, make: () => string[]) => (parts.has(part) ? make() : []);
  const schema = quoteIdent(splitFqName(target.name)[0]);
  const isOwn = (item: { readonly isInherited: boolean }) => !item.isInherited || parts.has("inheritance");
  const onTable = (kind: string, items: readonly { readonly name: string }[]) =>
    items.map(({ name }) => `drop ${kind} ${quoteIdent(name)} on ${quoted}`);
  const alterColumn = (name: string) => `alter table ${quoted} alter column ${quoteIdent(name)}`;
  return [
    ...ifWanted("foreign keys", () =>
      ownForeignKeys(table).map(({ name }) => `alter table ${quoted} drop constraint ${quoteIdent(name)}`),
    ),
    ...ifWanted("inheritance", () => leaveParents(table, quoted)),
    ...ifWanted("grants", () =>
      knownGrants(table, target.serverVersion).map((item) => revokeSql(item, quoted)),
    ),
    ...ifWanted("row security", () => [
      ...(table.forcesRowSecurity ? [`alter table ${quoted} no force row level security`] : []),
      ...(table.hasRowSecurity ? [`alter table ${quoted} disable row level security`] : []),
      ...onTable("policy", table.policies),
    ]),
    ...ifWanted("rules", () => onTable("rule", table.rules)),
    ...ifWanted("triggers", () => onTable("trigger", ownTriggers(table))),
    ...ifWanted("statistics", () =>
      table.statistics.map(({ name }) => `drop statistics ${statisticsName(name, target)}`),
    ),
    ...ifWanted("indexes", () =>
      freeIndexes(table)
        .filter(isOwn)
        .map(({ name }) => `drop index ${schema}.${quoteIdent(target.newName(name))}`),
    ),
    ...wantedConstraints(table, target)
      .filter(isOwn)
      .map((item) => `alter table ${quoted} drop constraint ${constraintName(item, target)}`)
      .reverse(),
    ...ifWanted("identity", () =>
      table.columns
        .filter((item) => item.identity !== undefined)
        .map(({ name }) => `${alterColumn(name)} drop identity`),
    ),
    ...ifWanted("defaults", () =>
      table.columns
        .filter((item) => item.default !== undefined)
        .map(({ name }) => `${alterColumn(name)} drop default`),
    ),
  ];
}

/** What comes from a partitioned parent appears by itself when the partition is attached. */
function ownTriggers(table: TableStructure): readonly TableTrigger[] {
  return table.triggers.filter((item) => !item.isInherited);
}

function ownForeignKeys(table: TableStructure) {
  return table.foreignKeys.filter((item) => !item.isInherited);
}

function targetOf(table: TableStructure, options: CreateTableOptions): PartTarget {
  const name = fqName(options.name ?? table.name);
  return {
    name,
    quoted: quoteFqIdent(name),
    parts: new Set(options.parts ?? basicParts),
    newName: (original) => options.indexNames?.get(original) ?? original,
    serverVersion: options.serverVersion ?? Number.POSITIVE_INFINITY,
  };
}
