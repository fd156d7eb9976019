/* The only files that spell londiste.* calls: here, and what a copy tells in copy-progress-api.ts. */
export * from "./api/database-api.ts";
export * from "./api/foreign-key-api.ts";
export type { LondisteCall } from "./api/londiste-call.ts";
export * from "./api/sequence-api.ts";
export * from "./api/table-api.ts";
