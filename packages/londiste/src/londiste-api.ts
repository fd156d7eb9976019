/* The functions of schema londiste; the files in api/ spell their calls. (Those of partitions are called by dispatch alone, and
 * queries of the catalogs elsewhere resolve names with londiste.find_table_oid and londiste.split_fqname.) */
export * from "./api/copy-progress-api.ts";
export * from "./api/database-api.ts";
export * from "./api/execute-api.ts";
export * from "./api/foreign-key-api.ts";
export type { LondisteCall } from "./api/londiste-call.ts";
export * from "./api/sequence-api.ts";
export * from "./api/table-api.ts";
