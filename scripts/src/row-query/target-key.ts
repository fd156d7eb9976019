import type { ConfigKey } from "@skytools/skytools";

/** Key of the database that the query runs in, for consumers that do not keep their position there. */
export const targetKey: ConfigKey = {
  key: "dst_db",
  type: "connstr",
  required: true,
  example: "dbname=target",
  doc: "database to run the query in",
};
