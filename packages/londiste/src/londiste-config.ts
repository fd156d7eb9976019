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
      key: "threaded_copy_pool_size",
      type: "int",
      default: "4",
      min: 1,
      doc: "connections that copy one big table, and build its indexes, at once; 1: each table over one",
    },
    {
      key: "threaded_copy_min_size",
      type: "bytes",
      default: "1GB",
      doc: "tables from this size on are copied over several connections",
    },
    {
      key: "threaded_copy_tables",
      type: "list",
      default: "",
      doc: "names, also with * and ?, of tables that are, whatever their size",
    },
    {
      key: "lock_timeout",
      type: "float",
      default: "10",
      min: 0,
      doc: "seconds that add-table and scripts of execute wait for a lock; 0: no limit",
    },
    {
      key: "local_only",
      type: "boolean",
      default: "no",
      doc: "on a leaf: read only events of tables that are replicated here",
    },
    {
      key: "local_only_drop_execute",
      type: "boolean",
      default: "no",
      doc: "with local_only: scripts of execute are not read either",
    },
    {
      key: "register_only_tables",
      type: "list",
      default: "",
      doc: "the only tables of the set that this node knows",
    },
    { key: "register_skip_tables", type: "list", default: "", doc: "tables that this node does not know" },
    {
      key: "register_only_seqs",
      type: "list",
      default: "",
      doc: "the only sequences of the set that this node knows",
    },
    { key: "register_skip_seqs", type: "list", default: "", doc: "sequences that this node does not know" },
    {
      key: "handler_modules",
      type: "list",
      default: "",
      doc: "files of own handlers; those of the original are built in",
    },
    {
      key: "shard_hash_func",
      type: "string",
      default: "partconf.get_hash_raw",
      doc: "function that hashes the key column of handler shard",
    },
    {
      key: "shard_info_sql",
      type: "string",
      default: "select * from partconf.conf",
      doc: "query for this node's shard_nr, shard_mask and shard_count",
    },
    {
      key: "obfuscator_map",
      type: "file",
      doc: "YAML file of handler obfuscate: table, column, action",
    },
    {
      key: "obfuscator_key",
      type: "string",
      default: "",
      doc: "key of the hashes of handler obfuscate",
    },
    {
      key: "compare_sql",
      type: "string",
      default: "",
      doc: "query of compare in place of its own; _TABLE_ and _COLS_ stand for the table and its common columns",
    },
    {
      key: "compare_fmt",
      type: "string",
      default: "",
      doc: "result line of compare; default: %%(cnt)d rows, checksum=%%(chksum)s",
    },
  ],
};
