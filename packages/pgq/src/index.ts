export type { BatchCollection, BatchInfo } from "./batch.ts";
export type { PgqEvent } from "./event.ts";
export { describeEvent, eventColumns } from "./event.ts";
