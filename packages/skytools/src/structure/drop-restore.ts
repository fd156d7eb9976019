import { quoteFqIdent, quoteIdent, splitFqName } from "../quoting/quote-ident.ts";
import { quoteLiteral } from "../quoting/quote-literal.ts";
import { addForeignKeySql } from "./relation-sql.ts";
import type { ForeignKey, TableConstraint, TableIndex, TableRule, TableTrigger } from "./table-parts.ts";
import type { TableStructure } from "./table-structure.ts";
import { createRuleSql, createTriggerSql } from "./trigger-sql.ts";

/** One object of a table that can be dropped and created again. */
export interface TableObject {
  readonly kind: "constraint" | "index" | "rule" | "trigger" | "foreign key" | "inheritance";
  readonly name: string;
  /** statements without a closing semicolon */
  readonly drop: readonly string[];
  readonly create: readonly string[];
}

/** What an initial copy drops before it fills the table and creates again afterwards, in the order of creation:
 * constraints without foreign keys, indexes, rules, inheritance. What belongs to a parent's object stays.
 * Source: spec/londiste.md 8.2 (step 6). */
export function droppableObjects(table: TableStructure): TableObject[] {
  return [
    ...table.constraints.filter((item) => !item.isInherited).map((item) => constraintObject(table, item)),
    ...table.indexes
      .filter((index) => !index.isInherited && index.constraint === undefined)
      .map((index) => indexObject(table, index)),
    ...table.rules.map((rule) => ruleObject(table, rule)),
    ...(table.isPartition ? [] : table.parents.map((parent) => inheritanceObject(table, parent))),
  ];
}

function constraintObject(table: TableStructure, constraint: TableConstraint): TableObject {
  const { quotedName } = table;
  const name = quoteIdent(constraint.name);
  const index = table.indexes.find((item) => item.constraint === constraint.name);
  const add = `alter table ${quotedName} add constraint ${name} `;
  return {
    kind: "constraint",
    name: constraint.name,
    drop: [`alter table ${quotedName} drop constraint ${name}`],
    create: [
      ...(index !== undefined && takesIndex(constraint)
        ? [...inTablespace(constraint.tablespace, index.definition), add + definitionUsing(constraint, index)]
        : inTablespace(constraint.tablespace, add + constraint.definition)),
      ...(index === undefined ? [] : indexMarks(table, index)),
      ...comment(`constraint ${name} on ${quotedName}`, constraint.comment),
    ],
  };
}

/** Its index can be built before, beside others, while readers go on.
 * Source: PostgreSQL manual, ALTER TABLE, ADD table_constraint_using_index */
function takesIndex({ kind, definition }: TableConstraint): boolean {
  return (kind === "primary key" || kind === "unique") && !definition.includes("WITHOUT OVERLAPS");
}

function definitionUsing({ kind, definition }: TableConstraint, index: TableIndex): string {
  const timing = /(?: DEFERRABLE)?(?: INITIALLY DEFERRED)?$/.exec(definition)?.[0] ?? "";
  return `${kind} using index ${quoteIdent(index.name)}${timing}`;
}

function indexObject(table: TableStructure, index: TableIndex): TableObject {
  const qualified = qualifiedBeside(table, index.name);
  return {
    kind: "index",
    name: index.name,
    drop: [`drop index ${qualified}`],
    create: [
      ...inTablespace(index.tablespace, index.definition),
      ...indexMarks(table, index),
      ...comment(`index ${qualified}`, index.comment),
    ],
  };
}

/** Marks that point from the table to an index and vanish with it. */
function indexMarks(table: TableStructure, index: TableIndex): string[] {
  const name = quoteIdent(index.name);
  return [
    ...(index.isClustered ? [`alter table ${table.quotedName} cluster on ${name}`] : []),
    ...(index.isReplicaIdentity
      ? [`alter table ${table.quotedName} replica identity using index ${name}`]
      : []),
  ];
}

function inTablespace(tablespace: string | undefined, statement: string): string[] {
  if (tablespace === undefined) return [statement];
  return [
    `set local default_tablespace = ${quoteLiteral(tablespace)}`,
    statement,
    "set local default_tablespace to default",
  ];
}

function ruleObject(table: TableStructure, rule: TableRule): TableObject {
  return {
    kind: "rule",
    name: rule.name,
    drop: [`drop rule ${quoteIdent(rule.name)} on ${table.quotedName}`],
    create: createRuleSql(table, rule),
  };
}

/** A trigger as an object that can be dropped and created again, enable mode included. */
export function triggerObject(table: TableStructure, trigger: TableTrigger): TableObject {
  return {
    kind: "trigger",
    name: trigger.name,
    drop: [`drop trigger ${quoteIdent(trigger.name)} on ${table.quotedName}`],
    create: createTriggerSql(table, trigger),
  };
}

function inheritanceObject(table: TableStructure, parent: string): TableObject {
  const quotedParent = quoteFqIdent(parent);
  return {
    kind: "inheritance",
    name: parent,
    drop: [`alter table ${table.quotedName} no inherit ${quotedParent}`],
    create: [`alter table ${table.quotedName} inherit ${quotedParent}`],
  };
}

/** A foreign key as an object that can be dropped and created again. */
export function foreignKeyObject(key: ForeignKey): TableObject {
  const table = quoteFqIdent(key.from);
  const name = quoteIdent(key.name);
  return {
    kind: "foreign key",
    name: key.name,
    drop: [`alter table ${table} drop constraint ${name}`],
    create: [addForeignKeySql(key)],
  };
}

function comment(object: string, text: string | undefined): string[] {
  return text === undefined ? [] : [`comment on ${object} is ${quoteLiteral(text)}`];
}

/** Indexes live in the schema of their table. */
function qualifiedBeside(table: TableStructure, name: string): string {
  return `${quoteIdent(splitFqName(table.name)[0])}.${quoteIdent(name)}`;
}
