import type { ConfigGroup } from "@skytools/skytools";

/** Keys of londiste besides those of every cascaded program. Source: spec/londiste.md 4 */
export const londisteConfig: ConfigGroup = {
  title: "londiste",
  keys: [
    {
      key: "db",
      type: "connstr",
      required: true,
      template: "live",
      example: "dbname=mydb host=127.0.0.1",
      doc: "connect string of the local database",
    },
    {
      key: "parallel_copies",
      type: "int",
      default: "1",
      min: 1,
      doc: "tables that are copied at once",
    },
    {
      key: "lock_timeout",
      type: "float",
      default: "10",
      min: 0,
      doc: "seconds that add-table and scripts of execute wait for a lock; 0: no limit",
    },
    {
      key: "compare_fmt",
      type: "string",
      default: "",
      doc: "result line of compare; default: %%(cnt)d rows, checksum=%%(chksum)s",
    },
  ],
};
