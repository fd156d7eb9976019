import type { Daemons } from "./daemons.ts";
import type { DataSize } from "./data-set.ts";
import type { Narrator } from "./narrator.ts";
import type { DemoNode } from "./nodes.ts";
import type { DemoOptions } from "./options.ts";
import type { ProcessMemory } from "./process-memory.ts";
import type { Session } from "./session.ts";
import type { Shell } from "./shell.ts";

/** Everything a step of the demo works with. */
export interface Stage {
  readonly narrator: Narrator;
  readonly options: DemoOptions;
  readonly size: DataSize;
  /** Where configuration files, logs and pidfiles are; the commands run there. */
  readonly directory: string;
  readonly shell: Shell;
  readonly daemons: Daemons;
  readonly root: DemoNode;
  readonly leaf: DemoNode;
  /** Sessions in the root's and the leaf's database. */
  readonly provider: Session;
  readonly subscriber: Session;
  readonly memory: ProcessMemory;
}
