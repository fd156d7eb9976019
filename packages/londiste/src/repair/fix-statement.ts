import { quoteIdent, quoteLiteral } from "@skytools/skytools";
import type { TargetColumn } from "../apply/target-table.ts";
import type { AlignedSides } from "../compare/aligned-sides.ts";
import type { RowImage } from "./row-images.ts";

export interface Fix {
  readonly kind: "insert" | "update" | "delete";
  /** one line, with its semicolon */
  readonly sql: string;
}

/** Types whose values are compared as they are written; others are left out of conditions: json, xml and points have no
 * equality. */
const comparable =
  /^(?:smallint|integer|bigint|numeric|real|double precision|boolean|text|character|"char"|name|uuid|bytea|date|time|timestamp|interval|inet|cidr|oid)/;

/** The statement that makes a row here what it is on the source; undefined when it is that already.
 * @param there the row on the source, undefined when it has none
 * Source: spec/londiste.md 13.4 "Statement forms" */
export function fixStatement(
  sides: AlignedSides,
  there: RowImage | undefined,
  here: RowImage | undefined,
): Fix | undefined {
  const { columns } = sides.target;
  if (there === undefined) return here && { kind: "delete", sql: deleteStatement(sides, here) };
  if (here === undefined) return { kind: "insert", sql: insertStatement(sides, columns, there) };
  const changed = columns.flatMap((column, nr) =>
    there[nr] === here[nr] || isKey(sides, column)
      ? []
      : [{ column, to: there[nr] ?? null, from: here[nr] ?? null }],
  );
  if (changed.length === 0) return undefined;
  const set = changed.map(({ column, to }) => `${quoteIdent(column.name)} = ${literal(to)}`).join(", ");
  const old = changed
    .filter(({ column }) => comparable.test(column.type))
    .map(({ column, from }) => ` and ${isValue(column, from)}`);
  return {
    kind: "update",
    sql: line(`update ${sides.target.from} set ${set} where ${keyCondition(sides, here)}${old.join("")}`),
  };
}

/** Rows go before others come in their place. */
export function inOrderOfSafety(fixes: readonly Fix[]): Fix[] {
  const order: readonly Fix["kind"][] = ["delete", "update", "insert"];
  return fixes.toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
}

export function deleteStatement(sides: AlignedSides, here: RowImage): string {
  return line(`delete from ${sides.target.from} where ${keyCondition(sides, here)}`);
}

/** @param columns of the image */
export function insertStatement(
  { targetShape }: AlignedSides,
  columns: readonly TargetColumn[],
  image: RowImage,
): string {
  const overriding = columns.some((column) => column.isIdentityAlways) ? " overriding system value" : "";
  const names = columns.map((column) => quoteIdent(column.name)).join(", ");
  return line(
    `insert into ${targetShape.sqlName} (${names})${overriding} values (${image.map(literal).join(", ")})`,
  );
}

function isKey(sides: AlignedSides, column: TargetColumn): boolean {
  return sides.target.key.includes(column);
}

function keyCondition(sides: AlignedSides, image: RowImage): string {
  const { columns, key } = sides.target;
  return key.map((column) => isValue(column, image[columns.indexOf(column)] ?? null)).join(" and ");
}

function isValue(column: TargetColumn, value: string | null): string {
  const name = quoteIdent(column.name);
  return value === null ? `${name} is null` : `${name} = ${quoteLiteral(value)}`;
}

function literal(value: string | null): string {
  return value === null ? "null" : quoteLiteral(value);
}

/** One line a statement: line ends within values are written as escapes. */
function line(sql: string): string {
  return `${sql.replace(/E?'(?:[^'\\]|''|\\.)*'/gs, onOneLine)};`;
}

function onOneLine(quoted: string): string {
  if (!/[\n\r]/.test(quoted)) return quoted;
  const body = quoted.startsWith("E") ? quoted.slice(1) : quoted.replaceAll("\\", "\\\\");
  return `E${body.replaceAll("\n", "\\n").replaceAll("\r", "\\r")}`;
}
