import type { Database, Log, TableGrant } from "@skytools/skytools";
import {
  basicParts,
  createTableSql,
  freshIndexNames,
  fullParts,
  quoteFqIdent,
  quoteIdent,
  splitFqName,
  TableStructure,
  type TableTrigger,
} from "@skytools/skytools";

export interface TableCreation {
  readonly local: Database;
  readonly source: Database;
  readonly log: Log;
  /** plain names */
  readonly sourceTable: string;
  readonly name: string;
  /** --create-full: everything that belongs to the table; otherwise columns, NOT NULL and primary key */
  readonly isFull: boolean;
}

/** Creates a table as it is on another node, within the open transaction.
 * @returns the statements that were run; empty when there is such a table already
 * Source: spec/londiste.md 6.4 */
export async function createLocalTable(creation: TableCreation): Promise<readonly string[]> {
  const { local, log, name } = creation;
  if ((await TableStructure.find(local, name)) !== undefined) {
    log.info(`Table ${name} already exist, not touching`);
    return [];
  }
  const structure = await TableStructure.find(creation.source, creation.sourceTable);
  await creation.source.rollback();
  if (structure === undefined) {
    log.warn(`Table ${name} missing on provider, cannot create, skipping`);
    return [];
  }
  const statements = await creationStatements(creation, structure);
  for (const statement of statements) {
    log.debug(statement);
    await local.execute(statement);
  }
  log.info(`Creating ${name}`);
  return statements;
}

async function creationStatements(creation: TableCreation, structure: TableStructure): Promise<string[]> {
  const { local, name, isFull } = creation;
  const [schema] = splitFqName(name);
  const indexNames = name === structure.name ? new Map() : await freshIndexNames(local, structure, schema);
  return [
    ...((await hasSchema(local, schema)) ? [] : [`create schema ${quoteIdent(schema)}`]),
    ...createTableSql(structure, { name, parts: isFull ? fullParts : basicParts, indexNames }),
    ...(isFull ? await belongings(creation, structure) : []),
  ];
}

async function hasSchema(local: Database, schema: string): Promise<boolean> {
  const sql = "select exists (select from pg_catalog.pg_namespace where nspname = $1) as found";
  return (await local.queryOne<{ found: boolean }>(sql, [schema])).found;
}

/** Triggers, rules, grants and owner. What needs a function or role that is not here is left out, with a warning. Rules and triggers
 * name their table: of a renamed one they are left out too. Triggers of queues are for registration to make. */
async function belongings(creation: TableCreation, structure: TableStructure): Promise<string[]> {
  const { log, name } = creation;
  const quoted = quoteFqIdent(name);
  const statements: string[] = [];
  if (name === structure.name) {
    for (const trigger of structure.triggers.filter((item) => !isQueueTrigger(item) && !item.isInherited)) {
      if (await hasFunction(creation.local, trigger.function)) statements.push(trigger.definition);
      else log.warn(`trigger ${trigger.name} of ${name} left out: no function ${trigger.function} here`);
    }
    statements.push(...structure.rules.map((rule) => rule.definition.replace(/;\s*$/, "")));
  } else if (structure.rules.length > 0 || structure.triggers.some((item) => !isQueueTrigger(item))) {
    log.warn(`rules and triggers of ${structure.name} left out: the table has another name here`);
  }
  const roles = await existingRoles(creation.local);
  for (const grant of structure.grants) {
    if (grant.grantee === undefined || roles.has(grant.grantee))
      statements.push(grantStatement(quoted, grant));
    else log.warn(`grant on ${name} left out: no role ${grant.grantee} here`);
  }
  if (roles.has(structure.owner))
    statements.push(`alter table ${quoted} owner to ${quoteIdent(structure.owner)}`);
  else log.warn(`owner of ${name} left out: no role ${structure.owner} here`);
  return statements;
}

function isQueueTrigger(trigger: TableTrigger): boolean {
  return trigger.function.startsWith("pgq.") || trigger.name.startsWith("_londiste_");
}

function grantStatement(table: string, { grantee, privilege, isGrantable, column }: TableGrant): string {
  const columns = column === undefined ? "" : ` (${quoteIdent(column)})`;
  const to = grantee === undefined ? "public" : quoteIdent(grantee);
  return `grant ${privilege}${columns} on ${table} to ${to}${isGrantable ? " with grant option" : ""}`;
}

async function hasFunction(local: Database, name: string): Promise<boolean> {
  const [schema, plain] = splitFqName(name);
  const sql = `select exists (select from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
                where n.nspname = $1 and p.proname = $2) as found`;
  return (await local.queryOne<{ found: boolean }>(sql, [schema, plain])).found;
}

async function existingRoles(local: Database): Promise<ReadonlySet<string>> {
  const rows = await local.query<{ rolname: string }>("select rolname from pg_catalog.pg_roles");
  return new Set(rows.map((row) => row.rolname));
}
