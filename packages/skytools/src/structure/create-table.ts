import type { Database } from "../db/database.ts";
import { SkytoolsError } from "../errors.ts";
import { quoteFqIdent, quoteIdent, splitFqName } from "../quoting/quote-ident.ts";
import { quoteLiteral } from "../quoting/quote-literal.ts";
import type { TableColumn, TableIndex } from "./table-parts.ts";
import type { TableStructure } from "./table-structure.ts";

/** What a created table may have beyond its columns with type, collation and NOT NULL. */
export type TablePart =
  | "primary key"
  | "defaults"
  | "identity"
  | "generated"
  | "constraints"
  | "indexes"
  | "storage"
  | "comments";

/** What `--create` makes. */
export const basicParts: readonly TablePart[] = ["primary key"];

/** Everything that belongs to the table alone; `--create-full`. Comments must be asked for. */
export const fullParts: readonly TablePart[] = [
  "primary key",
  "defaults",
  "identity",
  "generated",
  "constraints",
  "indexes",
  "storage",
];

export interface CreateTableOptions {
  /** `schema.table`, plain; default: the name of the original */
  readonly name?: string;
  /** default {@link basicParts} */
  readonly parts?: readonly TablePart[];
  /** what constraints with an index, and indexes, are called instead; see freshIndexNames() */
  readonly indexNames?: ReadonlyMap<string, string>;
}

/** The statements that create a table like the original, in order, without closing semicolons. Types, collations and
 * functions that it uses must exist; sequences of serial columns are created where they are missing. Foreign keys,
 * triggers, rules, grants, inheritance and partitioning are not part of it: a partitioned table becomes a plain one.
 * Source: spec/framework.md 7.4; spec/londiste.md 4 (`--create`, `--create-full`). */
export function createTableSql(table: TableStructure, options: CreateTableOptions = {}): string[] {
  const target = quoteFqIdent(options.name ?? table.name);
  const parts = new Set(options.parts ?? basicParts);
  const indexName = (name: string) => quoteIdent(options.indexNames?.get(name) ?? name);
  return [
    ...(parts.has("defaults") ? createSequences(table) : []),
    createStatement(table, target, parts),
    ...(parts.has("defaults") ? ownSequences(table, target) : []),
    ...(parts.has("storage") ? table.columns.flatMap((column) => columnStorage(column, target)) : []),
    ...addConstraints(table, target, parts, indexName),
    ...(parts.has("indexes") ? createIndexes(table, target, indexName) : []),
    ...indexMarks(table, target, parts, indexName),
    ...(parts.has("comments") ? comments(table, target, options.name ?? table.name, parts, indexName) : []),
  ];
}

function createStatement(table: TableStructure, target: string, parts: ReadonlySet<TablePart>): string {
  const columns = table.columns.map((column) => `  ${columnDefinition(table, column, parts)}`).join(",\n");
  const kind = parts.has("storage") && table.persistence === "unlogged" ? "unlogged table" : "table";
  const options =
    parts.has("storage") && table.options.length > 0
      ? `\nwith (${table.options.map(storageParameter).join(", ")})`
      : "";
  return `create ${kind} ${target} (\n${columns}\n)${options}`;
}

function columnDefinition(table: TableStructure, column: TableColumn, parts: ReadonlySet<TablePart>): string {
  const words = [quoteIdent(column.name), column.type];
  if (column.collation !== undefined) words.push(`collate ${column.collation}`);
  if (column.generated !== undefined && parts.has("generated")) {
    words.push(`generated always as (${column.generated}) ${column.generatedKind}`);
  }
  if (column.default !== undefined && parts.has("defaults")) words.push(`default ${column.default}`);
  if (column.identity !== undefined && parts.has("identity")) {
    const sequence = table.ownedSequences.find((item) => item.isIdentity && item.column === column.name);
    const settings = sequence === undefined ? "" : ` (${sequence.settings.replace(/^as \S+ /, "")})`;
    words.push(`generated ${column.identity} as identity${settings}`);
  }
  if (column.notNull) words.push("not null");
  return words.join(" ");
}

/** `key=value` as the catalog has it; the value goes back as a literal. */
function storageParameter(option: string): string {
  const equals = option.indexOf("=");
  return `${option.slice(0, equals)} = ${quoteLiteral(option.slice(equals + 1))}`;
}

function createSequences(table: TableStructure): string[] {
  return table.ownedSequences
    .filter((sequence) => !sequence.isIdentity)
    .map((sequence) => `create sequence if not exists ${quoteFqIdent(sequence.name)} ${sequence.settings}`);
}

/** A sequence can be owned only by a table of its schema; elsewhere it stays on its own. */
function ownSequences(table: TableStructure, target: string): string[] {
  return table.ownedSequences
    .filter(
      ({ name, isIdentity }) => !isIdentity && target.startsWith(`${quoteIdent(splitFqName(name)[0])}.`),
    )
    .map(
      ({ name, column }) => `alter sequence ${quoteFqIdent(name)} owned by ${target}.${quoteIdent(column)}`,
    );
}

function columnStorage(column: TableColumn, target: string): string[] {
  const alter = `alter table ${target} alter column ${quoteIdent(column.name)} set`;
  return [
    ...(column.storage === undefined ? [] : [`${alter} storage ${column.storage}`]),
    ...(column.compression === undefined ? [] : [`${alter} compression ${column.compression}`]),
    ...(column.statistics === undefined ? [] : [`${alter} statistics ${column.statistics}`]),
  ];
}

type IndexNamer = (name: string) => string;

function isWanted(kind: string, parts: ReadonlySet<TablePart>): boolean {
  return parts.has(kind === "primary key" ? "primary key" : "constraints");
}

function addConstraints(
  table: TableStructure,
  target: string,
  parts: ReadonlySet<TablePart>,
  indexName: IndexNamer,
): string[] {
  return table.constraints
    .filter((constraint) => isWanted(constraint.kind, parts))
    .map(({ kind, name, definition }) => {
      const quoted = kind === "check" ? quoteIdent(name) : indexName(name);
      return `alter table ${target} add constraint ${quoted} ${definition}`;
    });
}

function freeIndexes(table: TableStructure): readonly TableIndex[] {
  return table.indexes.filter((index) => index.constraint === undefined);
}

function createIndexes(table: TableStructure, target: string, indexName: IndexNamer): string[] {
  return freeIndexes(table).map(
    (index) =>
      `create ${index.isUnique ? "unique " : ""}index ${indexName(index.name)} on ${target} ${index.body}`,
  );
}

/** CLUSTER and REPLICA IDENTITY, for the indexes that are created. */
function indexMarks(
  table: TableStructure,
  target: string,
  parts: ReadonlySet<TablePart>,
  indexName: IndexNamer,
): string[] {
  const isCreated = (index: TableIndex) =>
    index.constraint === undefined
      ? parts.has("indexes")
      : isWanted(index.isPrimary ? "primary key" : "unique", parts);
  return table.indexes
    .filter(isCreated)
    .flatMap((index) => [
      ...(index.isClustered ? [`alter table ${target} cluster on ${indexName(index.name)}`] : []),
      ...(index.isReplicaIdentity
        ? [`alter table ${target} replica identity using index ${indexName(index.name)}`]
        : []),
    ]);
}

function comments(
  table: TableStructure,
  target: string,
  targetName: string,
  parts: ReadonlySet<TablePart>,
  indexName: IndexNamer,
): string[] {
  const schema = quoteIdent(splitFqName(targetName)[0]);
  const all: [object: string, text: string | undefined][] = [
    [`table ${target}`, table.comment],
    ...table.columns.map((item): [string, string | undefined] => [
      `column ${target}.${quoteIdent(item.name)}`,
      item.comment,
    ]),
    ...table.constraints
      .filter((item) => isWanted(item.kind, parts))
      .map((item): [string, string | undefined] => [
        `constraint ${item.kind === "check" ? quoteIdent(item.name) : indexName(item.name)} on ${target}`,
        item.comment,
      ]),
    ...(parts.has("indexes") ? freeIndexes(table) : []).map((item): [string, string | undefined] => [
      `index ${schema}.${indexName(item.name)}`,
      item.comment,
    ]),
  ];
  return all.flatMap(([object, text]) =>
    text === undefined ? [] : [`comment on ${object} is ${quoteLiteral(text)}`],
  );
}

/** Names that are free in the target's schema for the constraints and indexes of a table that is created under another
 * name: a trailing `_<digits>` is replaced by `_1` .. `_999`.
 * @param schema plain name
 * @throws SkytoolsError NO_FREE_NAME
 * Source: spec/framework.md 7.4 (fresh names). */
export async function freshIndexNames(
  db: Database,
  table: TableStructure,
  schema: string,
): Promise<Map<string, string>> {
  const rows = await db.query<{ relname: string }>(
    `select c.relname from pg_catalog.pg_class c
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace where n.nspname = $1`,
    [schema],
  );
  const taken = new Set(rows.map((row) => row.relname));
  const names = new Map<string, string>();
  for (const { name } of table.indexes) {
    const fresh = freshName(name, taken);
    taken.add(fresh);
    names.set(name, fresh);
  }
  return names;
}

function freshName(name: string, taken: ReadonlySet<string>): string {
  const stem = name.replace(/_\d+$/, "");
  for (let number = 1; number <= 999; number++) {
    const suffix = `_${number}`;
    const candidate = cutToBytes(stem, 63 - suffix.length) + suffix;
    if (!taken.has(candidate)) return candidate;
  }
  throw new SkytoolsError("NO_FREE_NAME", `no free name like "${stem}_1"`);
}

/** Whole characters only, as the server truncates identifiers. */
function cutToBytes(text: string, bytes: number): string {
  let cut = text;
  while (Buffer.byteLength(cut) > bytes) cut = Array.from(cut).slice(0, -1).join("");
  return cut;
}
