import { quoteFqIdent, quoteIdent } from "../quoting/quote-ident.ts";
import { withTable } from "./definition-split.ts";
import type { ForeignKey } from "./table-parts.ts";
import type { TableStructure } from "./table-structure.ts";

/** The statement that creates a foreign key. One that refers to its own table refers to the target.
 * @param target the table as SQL; default: its own */
export function addForeignKeySql(key: ForeignKey, target: string = quoteFqIdent(key.from)): string {
  const definition =
    key.from === key.to
      ? withTable(key.definition, " REFERENCES ", quoteFqIdent(key.to), target)
      : key.definition;
  return `alter table ${target} add constraint ${quoteIdent(key.name)} ${definition}`;
}

/** INHERIT of all parents, or ATTACH to the partitioned table. @param target the table as SQL */
export function joinParents(table: TableStructure, target: string): string[] {
  return table.parents.map((parent) =>
    table.isPartition
      ? `alter table ${quoteFqIdent(parent)} attach partition ${target} ${table.partitionBound}`
      : `alter table ${target} inherit ${quoteFqIdent(parent)}`,
  );
}

/** The opposite of {@link joinParents}. */
export function leaveParents(table: TableStructure, target: string): string[] {
  return table.parents.map((parent) =>
    table.isPartition
      ? `alter table ${quoteFqIdent(parent)} detach partition ${target}`
      : `alter table ${target} no inherit ${quoteFqIdent(parent)}`,
  );
}
