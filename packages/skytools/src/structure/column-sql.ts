import { quoteFqIdent, quoteIdent, splitFqName } from "../quoting/quote-ident.ts";
import { quoteLiteral } from "../quoting/quote-literal.ts";
import type { PartTarget } from "./table-part.ts";
import type { OwnedSequence, TableColumn } from "./table-parts.ts";
import type { TableStructure } from "./table-structure.ts";

const virtualColumnsSince = 180000;

/** The CREATE TABLE statement. */
export function createStatement(table: TableStructure, target: PartTarget): string {
  const { parts } = target;
  const hasStorage = parts.has("storage");
  const columns = table.columns.map((column) => `  ${columnDefinition(table, column, target)}`).join(",\n");
  const kind = hasStorage && table.persistence === "unlogged" ? "unlogged table" : "table";
  const isPartitioned = parts.has("partitioning") && table.partitionKey !== undefined;
  return [
    `create ${kind} ${target.quoted} (\n${columns}\n)`,
    ...(isPartitioned ? [`partition by ${table.partitionKey}`] : []),
    ...(hasStorage && table.accessMethod !== undefined ? [`using ${quoteIdent(table.accessMethod)}`] : []),
    ...(hasStorage && table.options.length > 0 ? [`with (${parameters(table.options)})`] : []),
    ...(parts.has("tablespaces") && table.tablespace !== undefined
      ? [`tablespace ${quoteIdent(table.tablespace)}`]
      : []),
  ].join("\n");
}

function columnDefinition(table: TableStructure, column: TableColumn, target: PartTarget): string {
  const { parts, serverVersion } = target;
  const words = [quoteIdent(column.name), column.type];
  if (column.collation !== undefined) words.push(`collate ${column.collation}`);
  if (column.generated !== undefined && parts.has("generated")) {
    const kind = serverVersion < virtualColumnsSince ? "stored" : column.generatedKind;
    words.push(`generated always as (${column.generated}) ${kind}`);
  }
  if (column.default !== undefined && parts.has("defaults")) words.push(`default ${column.default}`);
  if (column.identity !== undefined && parts.has("identity"))
    words.push(identityClause(table, column, target));
  if (column.notNull) words.push("not null");
  return words.join(" ");
}

function identityClause(table: TableStructure, column: TableColumn, target: PartTarget): string {
  const sequence = table.ownedSequences.find((item) => item.isIdentity && item.column === column.name);
  if (sequence === undefined) return `generated ${column.identity} as identity`;
  const name = target.name === table.name ? `sequence name ${quoteFqIdent(sequence.name)} ` : "";
  return `generated ${column.identity} as identity (${name}${sequence.settings.replace(/^as \S+ /, "")})`;
}

/** Defaults and identity of a table that is there already. */
export function alterColumns(table: TableStructure, target: PartTarget): string[] {
  return table.columns.flatMap((column) => {
    const alter = `alter table ${target.quoted} alter column ${quoteIdent(column.name)}`;
    return [
      ...(target.parts.has("defaults") && column.default !== undefined
        ? [`${alter} set default ${column.default}`]
        : []),
      ...(target.parts.has("identity") && column.identity !== undefined
        ? [`${alter} add ${identityClause(table, column, target)}`]
        : []),
    ];
  });
}

/** What ALTER TABLE says about the storage and statistics of columns. */
export function columnStorage(table: TableStructure, target: PartTarget): string[] {
  return table.columns.flatMap((column) => {
    const alter = `alter table ${target.quoted} alter column ${quoteIdent(column.name)} set`;
    return [
      ...(column.storage === undefined ? [] : [`${alter} storage ${column.storage}`]),
      ...(column.compression === undefined ? [] : [`${alter} compression ${column.compression}`]),
      ...(column.statistics === undefined ? [] : [`${alter} statistics ${column.statistics}`]),
      ...(column.options === undefined ? [] : [`${alter} (${parameters(column.options)})`]),
    ];
  });
}

/** `key=value` as the catalog has it; the value goes back as a literal. */
function parameters(options: readonly string[]): string {
  return options
    .map((option) => {
      const equals = option.indexOf("=");
      return `${option.slice(0, equals)} = ${quoteLiteral(option.slice(equals + 1))}`;
    })
    .join(", ");
}

function serialSequences(table: TableStructure): readonly OwnedSequence[] {
  return table.ownedSequences.filter((sequence) => !sequence.isIdentity);
}

/** Sequences of serial columns, which keep their names whatever the table is called. */
export function createSequences(table: TableStructure): string[] {
  return serialSequences(table).map(
    ({ name, settings }) => `create sequence if not exists ${quoteFqIdent(name)} ${settings}`,
  );
}

/** Links sequences to their columns, unless they have an owner already: beside the original they stay the original's. A sequence
 * can be owned only by a table of its schema; elsewhere it stays on its own. */
export function ownSequences(table: TableStructure, target: PartTarget): string[] {
  return serialSequences(table)
    .filter(({ name }) => splitFqName(name)[0] === splitFqName(target.name)[0])
    .map(({ name, column }) => {
      const sequence = quoteFqIdent(name);
      const body = `begin
  if not exists (select from pg_catalog.pg_depend
                  where classid = 'pg_catalog.pg_class'::regclass and objid = ${quoteLiteral(sequence)}::regclass
                    and refclassid = 'pg_catalog.pg_class'::regclass and deptype = 'a') then
    alter sequence ${sequence} owned by ${target.quoted}.${quoteIdent(column)};
  end if;
end`;
      return `do ${quoteLiteral(body)}`;
    });
}
