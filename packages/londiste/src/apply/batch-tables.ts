import type { TableHandler } from "../handler/handler.ts";
import type { RowOperation } from "./event-kind.ts";
import type { TableChoice } from "./event-line.ts";
import { copyNull, readableRaw } from "./row-layout.ts";

/** A table whose events are applied. */
export interface AppliedTable {
  /** as ev_extra1 has it: `schema.table`, plain */
  readonly name: string;
  /** the local table, plain */
  readonly destination: string;
}

/** Finds tables as their first events come, for programs that cannot list them beforehand. */
export interface TableFinder {
  /** tables that find() may answer for with anything but "ignored" */
  readonly dataOf: TableChoice;
  /** those whose handlers may have `open`: their events come in order, with everything in them */
  readonly wholeEventsOf: TableChoice;
  /** Asked once a table, or twice where a batch has to be read again from its start; what it did on the target is undone then.
   * @returns undefined: events of this table are ignored */
  find(first: FirstEvent): Promise<FoundTable | undefined>;
}

/** The first event of a table in a batch. */
export interface FirstEvent {
  readonly table: string;
  readonly id: string;
  readonly operation: RowOperation | "truncate";
  /** columns; empty in partial SQL */
  readonly key: readonly string[];
}

export interface FoundTable {
  readonly destination: string;
  readonly handler?: TableHandler | undefined;
}

/** Which tables a batch is applied to. */
export interface BatchTablesInput {
  /** tables whose events are to be applied now, by set name; events of others are ignored, unless there is a finder */
  readonly tables: ReadonlyMap<string, AppliedTable>;
  /** of those tables whose handler is not the default one, by set name */
  readonly handlers: ReadonlyMap<string, TableHandler>;
  /** decides about all other tables */
  readonly finder?: TableFinder;
}

/** The tables of one batch by the raw text of ev_extra1. */
export class BatchTables {
  readonly #input: BatchTablesInput;
  readonly #known = new Map<string, (AppliedTable & FoundTable) | undefined>();

  constructor(input: BatchTablesInput) {
    this.#input = input;
  }

  /** names of the tables whose data is wanted */
  get wanted(): TableChoice {
    const { tables, finder } = this.#input;
    return finder?.dataOf === "all" ? "all" : [...tables.keys(), ...(finder?.dataOf ?? [])];
  }

  /** names of the tables whose events are wanted with everything in them */
  get whole(): TableChoice {
    const { handlers, finder } = this.#input;
    const opened = [...handlers].filter(([, handler]) => handler.open !== undefined).map(([name]) => name);
    return finder?.wholeEventsOf === "all" ? "all" : [...opened, ...(finder?.wholeEventsOf ?? [])];
  }

  /** True when a handler may take events itself. */
  get mayOpen(): boolean {
    return this.whole === "all" || this.whole.length > 0;
  }

  /** What was found for a name before. */
  known(rawName: string): (AppliedTable & FoundTable) | undefined {
    return this.#known.get(rawName);
  }

  /** @returns undefined: events of this table are ignored */
  async find(
    rawName: string,
    first: Omit<FirstEvent, "table">,
  ): Promise<(AppliedTable & FoundTable) | undefined> {
    if (!this.#known.has(rawName)) this.#known.set(rawName, await this.#find(rawName, first));
    return this.#known.get(rawName);
  }

  async #find(
    rawName: string,
    first: Omit<FirstEvent, "table">,
  ): Promise<(AppliedTable & FoundTable) | undefined> {
    const { tables, handlers, finder } = this.#input;
    const name = rawName === copyNull ? "" : (readableRaw(rawName) ?? "");
    const listed = tables.get(name);
    if (listed !== undefined) return { ...listed, handler: handlers.get(name) };
    const found = await finder?.find({ ...first, table: name });
    return found === undefined ? undefined : { name, ...found };
  }
}
