import { quoteIdent, splitFqName } from "../quoting/quote-ident.ts";
import { quoteLiteral } from "../quoting/quote-literal.ts";
import type { PartTarget, TablePart } from "./table-part.ts";
import type { TableConstraint, TableIndex } from "./table-parts.ts";
import type { TableStructure } from "./table-structure.ts";

/** Whether a constraint is among the parts. */
function isWantedConstraint(kind: TableConstraint["kind"], parts: ReadonlySet<TablePart>): boolean {
  return parts.has(kind === "primary key" ? "primary key" : "constraints");
}

/** The constraints that are among the parts. */
export function wantedConstraints(table: TableStructure, { parts }: PartTarget): readonly TableConstraint[] {
  return table.constraints.filter(({ kind }) => isWantedConstraint(kind, parts));
}

/** Name of a constraint in the target, as SQL. A check has no index, so its name stays. */
export function constraintName({ kind, name }: TableConstraint, target: PartTarget): string {
  return quoteIdent(kind === "check" ? name : target.newName(name));
}

export function addConstraints(table: TableStructure, target: PartTarget): string[] {
  return wantedConstraints(table, target).flatMap((constraint) =>
    inTablespace(
      target.parts.has("tablespaces") ? constraint.tablespace : undefined,
      `alter table ${target.quoted} add constraint ${constraintName(constraint, target)} ${constraint.definition}`,
    ),
  );
}

/** Indexes that serve no constraint. */
export function freeIndexes(table: TableStructure): readonly TableIndex[] {
  return table.indexes.filter((index) => index.constraint === undefined);
}

export function createIndexes(table: TableStructure, target: PartTarget): string[] {
  return freeIndexes(table).flatMap((index) =>
    inTablespace(
      target.parts.has("tablespaces") ? index.tablespace : undefined,
      `create ${index.isUnique ? "unique " : ""}index ${quoteIdent(target.newName(index.name))} on ${target.quoted} ${index.body}`,
    ),
  );
}

/** CLUSTER and REPLICA IDENTITY: by an index, if it is created, or of the table itself. */
export function indexMarks(table: TableStructure, target: PartTarget): string[] {
  const { quoted, parts } = target;
  const isCreated = (index: TableIndex) =>
    index.constraint === undefined
      ? parts.has("indexes")
      : isWantedConstraint(index.isPrimary ? "primary key" : "unique", parts);
  const name = (index: TableIndex) => quoteIdent(target.newName(index.name));
  const ofTable = ["full", "nothing"].includes(table.replicaIdentity) && parts.has("indexes");
  return [
    ...table.indexes
      .filter(isCreated)
      .flatMap((index) => [
        ...(index.isClustered ? [`alter table ${quoted} cluster on ${name(index)}`] : []),
        ...(index.isReplicaIdentity
          ? [`alter table ${quoted} replica identity using index ${name(index)}`]
          : []),
      ]),
    ...(ofTable ? [`alter table ${quoted} replica identity ${table.replicaIdentity}`] : []),
  ];
}

/** Extended statistics, in the schema of the table. */
export function createStatistics(table: TableStructure, target: PartTarget): string[] {
  return table.statistics.flatMap(({ name, kinds, columns, target: statisticsTarget }) => {
    const quoted = statisticsName(name, target);
    const list = kinds === undefined ? "" : ` (${kinds.join(", ")})`;
    return [
      `create statistics ${quoted}${list} on ${columns} from ${target.quoted}`,
      ...(statisticsTarget === undefined
        ? []
        : [`alter statistics ${quoted} set statistics ${statisticsTarget}`]),
    ];
  });
}

/** Name of a statistics object in the target, as SQL. */
export function statisticsName(name: string, target: PartTarget): string {
  const [schema, plain] = splitFqName(name);
  const isMoved = target.newName(plain) !== plain;
  const targetSchema = isMoved ? splitFqName(target.name)[0] : schema;
  return `${quoteIdent(targetSchema)}.${quoteIdent(target.newName(plain))}`;
}

function inTablespace(tablespace: string | undefined, statement: string): string[] {
  if (tablespace === undefined) return [statement];
  return [
    `set local default_tablespace = ${quoteLiteral(tablespace)}`,
    statement,
    "set local default_tablespace to default",
  ];
}
