import type { Database } from "../db/database.ts";
import { SkytoolsError } from "../errors.ts";
import { quoteFqIdent, splitFqName } from "../quoting/quote-ident.ts";
import { quoteLiteral } from "../quoting/quote-literal.ts";
import type {
  ForeignKey,
  OwnedSequence,
  TableColumn,
  TableConstraint,
  TableGrant,
  TableIndex,
  TablePolicy,
  TableRule,
  TableStatistics,
  TableTrigger,
} from "./table-parts.ts";
import { tableQuery } from "./table-query.ts";

export type TableKind = "table" | "partitioned table" | "foreign table" | "view" | "materialized view";

/** What the catalogs say about one table or view, read at one moment. All names are plain, all definitions are SQL
 * with qualified names.
 * Source: spec/framework.md 7.4. */
export class TableStructure {
  /** `schema.table`, plain */
  readonly name: string;
  /** `schema.table` as SQL */
  readonly quotedName: string;
  readonly oid: number;
  readonly kind: TableKind;
  readonly persistence: "permanent" | "unlogged" | "temporary";
  readonly owner: string;
  readonly tablespace: string | undefined;
  /** undefined: heap */
  readonly accessMethod: string | undefined;
  /** storage parameters, `key=value`; those of its TOAST table begin with `toast.` */
  readonly options: readonly string[];
  readonly replicaIdentity: "default" | "nothing" | "full" | "index";
  readonly hasRowSecurity: boolean;
  /** row-level security also for the owner */
  readonly forcesRowSecurity: boolean;
  readonly isPartition: boolean;
  readonly partitionBound: string | undefined;
  readonly partitionKey: string | undefined;
  /** the planner's figure; 0 also when never analysed */
  readonly estimatedRows: bigint;
  /** with TOAST, without indexes; 0 for what has no storage */
  readonly sizeBytes: bigint;
  readonly comment: string | undefined;
  readonly columns: readonly TableColumn[];
  readonly indexes: readonly TableIndex[];
  /** without foreign keys; the primary key first */
  readonly constraints: readonly TableConstraint[];
  /** from this table to others */
  readonly foreignKeys: readonly ForeignKey[];
  /** from others, or itself, to this table */
  readonly referencingKeys: readonly ForeignKey[];
  readonly triggers: readonly TableTrigger[];
  readonly rules: readonly TableRule[];
  readonly policies: readonly TablePolicy[];
  readonly statistics: readonly TableStatistics[];
  readonly ownedSequences: readonly OwnedSequence[];
  readonly grants: readonly TableGrant[];
  /** `schema.table`, plain: inheritance parents, or the partitioned table */
  readonly parents: readonly string[];
  readonly children: readonly string[];

  private constructor(name: string, raw: RawStructure) {
    this.name = name;
    this.quotedName = quoteFqIdent(name);
    this.oid = raw.oid;
    this.kind = raw.kind;
    this.persistence = raw.persistence;
    this.owner = raw.owner;
    this.tablespace = raw.tablespace ?? undefined;
    this.accessMethod = raw.accessMethod ?? undefined;
    this.options = raw.options ?? [];
    this.replicaIdentity = raw.replicaIdentity;
    this.hasRowSecurity = raw.hasRowSecurity;
    this.forcesRowSecurity = raw.forcesRowSecurity;
    this.isPartition = raw.isPartition;
    this.partitionBound = raw.partitionBound ?? undefined;
    this.partitionKey = raw.partitionKey ?? undefined;
    this.estimatedRows = BigInt(raw.estimatedRows);
    this.sizeBytes = BigInt(raw.sizeBytes ?? 0);
    this.comment = raw.comment ?? undefined;
    this.columns = (raw.columns ?? []).map(withoutNulls);
    this.indexes = (raw.indexes ?? []).map((index) => ({
      ...withoutNulls(index),
      sizeBytes: BigInt(index.sizeBytes),
    }));
    this.constraints = (raw.constraints ?? []).map((item) => ({
      ...withoutNulls(item),
      columns: item.columns ?? [],
    }));
    this.foreignKeys = (raw.foreignKeys ?? []).map(foreignKey);
    this.referencingKeys = (raw.referencingKeys ?? []).map(foreignKey);
    this.triggers = (raw.triggers ?? []).map(withoutNulls);
    this.rules = (raw.rules ?? []).map(withoutNulls);
    this.policies = (raw.policies ?? []).map(withoutNulls);
    this.statistics = (raw.statistics ?? []).map(({ schema, name, ...rest }) => ({
      name: `${schema}.${name}`,
      ...withoutNulls(rest),
    }));
    this.ownedSequences = (raw.ownedSequences ?? []).map(({ schema, name, ...rest }) => ({
      name: `${schema}.${name}`,
      ...rest,
    }));
    this.grants = (raw.grants ?? []).map(withoutNulls);
    this.parents = (raw.parents ?? []).map(({ schema, name }) => `${schema}.${name}`);
    this.children = (raw.children ?? []).map(({ schema, name }) => `${schema}.${name}`);
  }

  /** @param name `schema.table`, plain; without a dot the schema is public
   * @throws SkytoolsError TABLE_NOT_FOUND */
  static async load(db: Database, name: string): Promise<TableStructure> {
    const structure = await TableStructure.find(db, name);
    if (structure !== undefined) return structure;
    throw new SkytoolsError(
      "TABLE_NOT_FOUND",
      `table not found: ${splitFqName(name).join(".")} (${db.label})`,
    );
  }

  /** Like load(), undefined when there is no such table. */
  static async find(db: Database, name: string): Promise<TableStructure | undefined> {
    const [schema, table] = splitFqName(name);
    const text = await withEmptySearchPath(db, () => readTable(db, schema, table));
    if (text === undefined) return undefined;
    const raw: RawStructure = JSON.parse(text);
    return new TableStructure(`${schema}.${table}`, raw);
  }

  /** Columns of the primary key in key order; empty when there is none. */
  get primaryKey(): readonly string[] {
    return this.constraints.find((constraint) => constraint.kind === "primary key")?.columns ?? [];
  }

  /** Columns that COPY and INSERT can fill: all but the generated ones. */
  get copyColumns(): readonly TableColumn[] {
    return this.columns.filter((column) => column.generated === undefined);
  }

  column(name: string): TableColumn | undefined {
    return this.columns.find((column) => column.name === name);
  }
}

/** Definitions are qualified only for names that are not in search_path; the old setting comes back afterwards. */
async function withEmptySearchPath<T>(db: Database, body: () => Promise<T>): Promise<T> {
  if (!db.isTransactional) return await db.transaction(() => withEmptySearchPath(db, body));
  const before = await db.queryValue<string>(
    "select pg_catalog.current_setting('search_path') as before, pg_catalog.set_config('search_path', '', true)",
  );
  const result = await body();
  await db.query("select pg_catalog.set_config('search_path', $1, true)", [before]);
  return result;
}

const preparedAtLook = 3;
const looksInSession = new WeakMap<Database, number>();
const preparedSessions = new WeakSet<Database>();

/** Planning the query costs several times what running it does: a session that looks at many tables plans it once. */
async function readTable(db: Database, schema: string, table: string): Promise<string | undefined> {
  const looks = (looksInSession.get(db) ?? 0) + 1;
  looksInSession.set(db, looks);
  if (looks < preparedAtLook) return db.queryValue<string>(tableQuery, [schema, table]);
  if (!preparedSessions.has(db)) {
    await db.execute(`prepare skytools_table as ${tableQuery}`);
    preparedSessions.add(db);
  }
  return db.queryValue<string>(`execute skytools_table(${quoteLiteral(schema)}, ${quoteLiteral(table)})`);
}

interface PlainName {
  readonly schema: string;
  readonly name: string;
}

type RawForeignKey = Omit<ForeignKey, "from" | "to"> & {
  readonly fromSchema: string;
  readonly fromTable: string;
  readonly toSchema: string;
  readonly toTable: string;
};

/** The JSON of tableQuery; absent lists are null. */
interface RawStructure {
  readonly oid: number;
  readonly kind: TableKind;
  readonly persistence: "permanent" | "unlogged" | "temporary";
  readonly owner: string;
  readonly tablespace: string | null;
  readonly accessMethod: string | null;
  readonly options: readonly string[] | null;
  readonly replicaIdentity: "default" | "nothing" | "full" | "index";
  readonly hasRowSecurity: boolean;
  readonly forcesRowSecurity: boolean;
  readonly isPartition: boolean;
  readonly partitionBound: string | null;
  readonly partitionKey: string | null;
  readonly estimatedRows: string;
  readonly sizeBytes: string | null;
  readonly comment: string | null;
  readonly columns: readonly TableColumn[] | null;
  readonly indexes: readonly (Omit<TableIndex, "sizeBytes"> & { readonly sizeBytes: string })[] | null;
  readonly constraints:
    | readonly (Omit<TableConstraint, "columns"> & { readonly columns: string[] | null })[]
    | null;
  readonly foreignKeys: readonly RawForeignKey[] | null;
  readonly referencingKeys: readonly RawForeignKey[] | null;
  readonly triggers: readonly TableTrigger[] | null;
  readonly rules: readonly TableRule[] | null;
  readonly policies: readonly TablePolicy[] | null;
  readonly statistics: readonly (PlainName & Omit<TableStatistics, "name">)[] | null;
  readonly ownedSequences: readonly (PlainName & Omit<OwnedSequence, "name">)[] | null;
  readonly grants: readonly TableGrant[] | null;
  readonly parents: readonly PlainName[] | null;
  readonly children: readonly PlainName[] | null;
}

/** JSON says null where our types say undefined. */
function withoutNulls<T extends object>(item: T): T {
  const copy = { ...item };
  for (const key of Object.keys(copy) as (keyof T)[])
    if (copy[key] === null) copy[key] = undefined as T[keyof T];
  return copy;
}

function foreignKey({ fromSchema, fromTable, toSchema, toTable, ...rest }: RawForeignKey): ForeignKey {
  return { ...withoutNulls(rest), from: `${fromSchema}.${fromTable}`, to: `${toSchema}.${toTable}` };
}
