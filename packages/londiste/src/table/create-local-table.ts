import type { Database, Log } from "@skytools/skytools";
import {
  basicParts,
  createTableSql,
  freshIndexNames,
  fullParts,
  quoteIdent,
  splitFqName,
  TableStructure,
} from "@skytools/skytools";
import { tableBelongings } from "./table-belongings.ts";

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
  const { local, log, name, isFull } = creation;
  const [schema] = splitFqName(name);
  const indexNames = name === structure.name ? new Map() : await freshIndexNames(local, structure, schema);
  return [
    ...((await hasSchema(local, schema)) ? [] : [`create schema ${quoteIdent(schema)}`]),
    ...createTableSql(structure, {
      name,
      parts: isFull ? [...fullParts, "statistics", "comments"] : basicParts,
      indexNames,
      serverVersion: local.serverVersion,
    }),
    ...(isFull ? await tableBelongings(local, log, structure, name) : []),
  ];
}

async function hasSchema(local: Database, schema: string): Promise<boolean> {
  const sql = "select exists (select from pg_catalog.pg_namespace where nspname = $1) as found";
  return (await local.queryOne<{ found: boolean }>(sql, [schema])).found;
}
