import { quoteIdent, splitFqName } from "../quoting/quote-ident.ts";
import { quoteLiteral } from "../quoting/quote-literal.ts";
import { constraintName, freeIndexes, statisticsName, wantedConstraints } from "./index-sql.ts";
import type { PartTarget, TablePart } from "./table-part.ts";
import type { TableStructure } from "./table-structure.ts";

interface Commented {
  readonly object: string;
  readonly comment: string | undefined;
}

/** The comments of a table and of what is created of it. */
export function createComments(table: TableStructure, target: PartTarget): string[] {
  return commented(table, target).flatMap(({ object, comment }) =>
    comment === undefined ? [] : [`comment on ${object} is ${quoteLiteral(comment)}`],
  );
}

function commented(table: TableStructure, target: PartTarget): Commented[] {
  const { quoted, newName } = target;
  const schema = quoteIdent(splitFqName(target.name)[0]);
  const onTable = (kind: string, items: readonly { name: string; comment: string | undefined }[]) =>
    items.map(({ name, comment }) => ({ object: `${kind} ${quoteIdent(name)} on ${quoted}`, comment }));
  const wanted = <T>(part: TablePart, items: readonly T[]) => (target.parts.has(part) ? items : []);
  return [
    { object: `table ${quoted}`, comment: table.comment },
    ...table.columns.map(({ name, comment }) => ({
      object: `column ${quoted}.${quoteIdent(name)}`,
      comment,
    })),
    ...wantedConstraints(table, target).map((item) => ({
      object: `constraint ${constraintName(item, target)} on ${quoted}`,
      comment: item.comment,
    })),
    ...wanted("indexes", freeIndexes(table)).map(({ name, comment }) => ({
      object: `index ${schema}.${quoteIdent(newName(name))}`,
      comment,
    })),
    ...wanted("statistics", table.statistics).map(({ name, comment }) => ({
      object: `statistics ${statisticsName(name, target)}`,
      comment,
    })),
    ...onTable("trigger", wanted("triggers", table.triggers)),
    ...onTable("rule", wanted("rules", table.rules)),
    ...onTable("policy", wanted("row security", table.policies)),
    ...onTable("constraint", wanted("foreign keys", table.foreignKeys)),
  ];
}
