import type { RandomSource } from "@skytools/testbed";

/** Random numbers that a statement is made of. */
export interface Draw {
  /** 1 .. 100 */
  readonly id: number;
  readonly other: number;
  /** 1 .. 12 */
  readonly small: number;
  readonly random: RandomSource;
}

/** A table that makes replication hard, with what an application does to it; statements may fail. */
export interface HostileTable {
  /** in the set: `schema.table`, plain */
  readonly name: string;
  /** for both nodes */
  readonly create: string;
  /** for the leaf, after `create` */
  readonly onLeaf?: string;
  readonly statements: readonly ((draw: Draw) => string)[];
  /** it keeps its name: other tables refer to it, or statements know it */
  readonly keepsName?: boolean;
}
