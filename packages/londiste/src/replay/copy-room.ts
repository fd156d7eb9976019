import type { ReplicatedTable } from "../londiste-api.ts";

/** So many tables beyond those that load rows may wait for their hand-over: waiting costs little. */
const handOverRoom = 8;

/** Decides whether a copier may take one more table. */
export class CopyRoom {
  readonly #slots: number;
  #loading: number;
  #all: number;

  /** @param slots tables that load rows at once */
  constructor(slots: number, needing: readonly ReplicatedTable[], running: ReadonlySet<string>) {
    this.#slots = slots;
    this.#all = running.size;
    this.#loading = needing.filter((table) => isLoading(table) && running.has(table.name)).length;
  }

  isFor(table: ReplicatedTable): boolean {
    return this.#all < this.#slots + handOverRoom && (!isLoading(table) || this.#loading < this.#slots);
  }

  take(table: ReplicatedTable): void {
    this.#all += 1;
    if (isLoading(table)) this.#loading += 1;
  }
}

function isLoading({ state }: ReplicatedTable): boolean {
  return state.kind === "none" || state.kind === "in-copy";
}
