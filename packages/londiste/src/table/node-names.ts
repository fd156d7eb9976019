import type { NodeNames } from "@skytools/pgq/cascade";
import type { Database } from "@skytools/skytools";
import {
  getTableList,
  localSetTableAttributes,
  type ReplicatedTable,
  tableAttributes,
} from "../londiste-api.ts";

/** Where Londiste calls nodes by name: in the attribute of a table that says which node it is copied from. */
export const nodeNames: NodeNames = {
  areUsed: async (database, queueName, nodeName) =>
    (await copiedFrom(database, queueName, nodeName)).length > 0,
  replace: async (database, queueName, { oldName, newName }, log) => {
    for (const { name, attributes } of await copiedFrom(database, queueName, oldName)) {
      const renamed = tableAttributes({ ...Object.fromEntries(attributes), copy_node: newName });
      const call = { log, quiet: true, commit: false };
      await localSetTableAttributes(database, call, queueName, name, renamed);
    }
  },
};

async function copiedFrom(
  database: Database,
  queueName: string,
  nodeName: string,
): Promise<ReplicatedTable[]> {
  const tables = await getTableList(database, queueName);
  return tables.filter((table) => table.isLocal && table.attributes.get("copy_node") === nodeName);
}
