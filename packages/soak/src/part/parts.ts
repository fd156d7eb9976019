import { cascade } from "./cascade.ts";
import { consumers } from "./consumers.ts";
import { loaders } from "./loaders.ts";
import type { StartPart } from "./part.ts";
import { receiver } from "./receiver.ts";
import { replication } from "./replication.ts";

/** Beside the ticker, without which nothing moves. */
export const parts = {
  /** simple_consumer3, simple_serial_consumer3, queue_mover3, table_dispatcher3 */
  consumers,
  /** queue_splitter3, bulk_loader3, cube_dispatcher3, simple_local_consumer3 */
  loaders,
  /** Londiste's workers on root, branch and leaf, with their copiers */
  replication,
  /** a node's worker without data, queue_loader3, a cascaded consumer */
  cascade,
  /** walmgr's syncdaemon */
  receiver,
} as const satisfies Readonly<Record<string, StartPart>>;

export type PartName = keyof typeof parts;

export const partNames = Object.keys(parts) as PartName[];
