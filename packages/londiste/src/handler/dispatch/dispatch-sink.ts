import { SkytoolsError } from "@skytools/skytools";
import type { RowOperation } from "../../apply/event-kind.ts";
import type { EventSink, HandlerBatch, RowEvent } from "../handler.ts";
import { type DispatchRules, partitionName } from "./dispatch-rules.ts";
import { PartitionMaker } from "./partition-maker.ts";
import { LocalTimes, type PartitionTime, parsePartitionTime } from "./partition-time.ts";

/** Brings the events of one table to its partitions. */
export class DispatchSink implements EventSink {
  readonly #batch: HandlerBatch;
  readonly #rules: DispatchRules;
  readonly #accepts: (event: RowEvent) => boolean;
  readonly #partitions: PartitionMaker;
  readonly #times: LocalTimes;

  /** @param accepts false: the event belongs to another shard */
  constructor(batch: HandlerBatch, rules: DispatchRules, accepts: (event: RowEvent) => boolean) {
    this.#batch = batch;
    this.#rules = rules;
    this.#accepts = accepts;
    this.#partitions = new PartitionMaker(batch.target, batch.log, rules.partition);
    this.#times = new LocalTimes(batch.target);
  }

  async row(event: RowEvent): Promise<void> {
    const { tableMode, operations, fields, isInsertOnly } = this.#rules;
    if (tableMode === "ignore" || !operations.has(event.operation) || !this.#accepts(event)) return;
    const operation = this.#operationFor(event.operation);
    if (operation === undefined) return;
    if (isInsertOnly && operation !== "insert") {
      throw this.#error(event, `${operation} not supported by method insert`);
    }
    const key = fields.key(event.key);
    const destination = await this.#destination(event, key);
    if (destination === undefined) return;
    const row = fields.row(event.row());
    await this.#batch.change(event, destination, { operation, key, row }, this.#rules.treatment);
  }

  /** @returns undefined: nothing to do */
  #operationFor(operation: RowOperation): RowOperation | undefined {
    if (this.#rules.rowMode !== "keep_all") return operation;
    return operation === "delete" ? undefined : "insert";
  }

  /** @returns undefined when the partition is too old */
  async #destination(event: RowEvent, key: readonly string[]): Promise<string | undefined> {
    const { tableMode, partition } = this.#rules;
    if (tableMode === "direct") return partition.parent;
    const time = await this.#timeOf(event);
    const name = partitionName(this.#rules, time);
    return (await this.#partitions.ensure(name, time, key)) ? name : undefined;
  }

  async #timeOf(event: RowEvent): Promise<PartitionTime> {
    switch (this.#rules.partMode) {
      case "batch_time":
        return this.#times.of(this.#batch.tickTime);
      case "event_time":
        return this.#times.of(event.event.time);
      case "current_time":
        return this.#times.of(new Date().toISOString().replace("T", " ").replace("Z", "+00"));
      case "date_field":
        return this.#fieldTime(event);
    }
  }

  #fieldTime(event: RowEvent): PartitionTime {
    const field = this.#rules.partition.field ?? "";
    const value = event.row().get(field);
    if (value === undefined) throw this.#error(event, `part_field(${field}) is not in the event`);
    if (value === null) throw this.#error(event, `part_field(${field}) is NULL`);
    return parsePartitionTime(value);
  }

  #error(event: RowEvent, reason: string): SkytoolsError {
    return new SkytoolsError(
      "DISPATCH",
      `${reason}: event ${event.event.id} of ${event.event.extra1 ?? ""}`,
      {
        retry: "later",
      },
    );
  }

  async flush(): Promise<void> {}
}
