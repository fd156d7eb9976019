import type { Database } from "@skytools/skytools";
import type { AlignedSides } from "../compare/aligned-sides.ts";
import { deleteStatement, insertStatement } from "./fix-statement.ts";
import { type KeyText, keyId, readRows } from "./row-images.ts";

/** Takes rows away, all of them first, and puts them back as the source has them. Columns that only the target has keep their
 * values. Only in replication role replica: in another one foreign keys would delete rows of other tables along.
 * @returns false when the session is not in that role
 * @throws DatabaseError of a unique key when a row that is not among these stands in the way */
export async function replaceRows(
  source: Database,
  target: Database,
  sides: AlignedSides,
  keys: readonly KeyText[],
): Promise<boolean> {
  const role = await target.queryValue<string>("select current_setting('session_replication_role')");
  if (role !== "replica") return false;
  const { columns } = sides.target;
  const ownColumns = sides.targetShape.columns.filter(
    (column) => !column.isGenerated && !columns.some(({ name }) => name === column.name),
  );
  const [there, here] = await Promise.all([
    readRows(source, sides.source, keys),
    readRows(target, { ...sides.target, columns: [...columns, ...ownColumns] }, keys),
  ]);
  for (const image of here.values()) await target.execute(deleteStatement(sides, image));
  for (const key of keys) {
    const image = there.get(keyId(key));
    if (image === undefined) continue;
    const own = here.get(keyId(key))?.slice(columns.length);
    const statement =
      own === undefined
        ? insertStatement(sides, columns, image)
        : insertStatement(sides, [...columns, ...ownColumns], [...image, ...own]);
    await target.execute(statement);
  }
  return true;
}
