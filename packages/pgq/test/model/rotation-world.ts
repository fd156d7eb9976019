import assert from "node:assert/strict";
import type { Move } from "@skytools/testbed";

/* The three event tables of a queue and those who use them: writers whose transactions last, the ticker, one consumer, and the two
 * steps of rotation. Each move is what one transaction does, or its end; transaction numbers and snapshots are the server's. The
 * decisions are those of pgq.maint_rotate_tables_step1 and pgq.batch_event_tables; what comes of them is compared with the server's
 * in rotation.test.ts. */

interface Snapshot {
  readonly xmin: number;
  readonly xmax: number;
  readonly running: readonly number[];
}

export interface Writer {
  readonly txid: number;
  /** of its event; undefined: it has none yet */
  readonly table: number | undefined;
}

interface StoredEvent {
  readonly txid: number;
  readonly table: number;
}

export interface RotationWorld {
  readonly nextTxid: number;
  readonly writers: readonly Writer[];
  /** of committed transactions */
  readonly events: readonly StoredEvent[];
  readonly ticks: readonly Snapshot[];
  readonly current: number;
  readonly step1: number;
  /** undefined: the switch is not confirmed */
  readonly step2: number | undefined;
  /** a first step that has taken the next table and not committed yet: nobody sees the switch */
  readonly switching: { readonly txid: number } | undefined;
  /** tick that the consumer has finished, and whether it has the next one open */
  readonly place: number;
  readonly isOpen: boolean;
  /** transactions whose events it has been given */
  readonly delivered: readonly number[];
  readonly left: { readonly events: number; readonly ticks: number; readonly rotations: number };
}

export function rotationWorld(left: RotationWorld["left"]): RotationWorld {
  return {
    nextTxid: 3,
    writers: [],
    events: [],
    ticks: [{ xmin: 2, xmax: 2, running: [] }],
    current: 0,
    step1: 1,
    step2: 1,
    switching: undefined,
    place: 0,
    isOpen: false,
    delivered: [],
    left,
  };
}

const tables = 3;

/** What rotation looks at before it takes the next table. */
export type RotationRule = (facts: {
  readonly lowestXmin: number;
  readonly step1: number;
  readonly step2: number;
}) => boolean;

/** Source: pgq.maint_rotate_tables_step1 */
export const rotationRule: RotationRule = ({ lowestXmin, step2 }) => lowestXmin > step2;

export function movesOf(world: RotationWorld, mayRotate: RotationRule): Move<RotationWorld>[] {
  return [...writerMoves(world), ...rotationMoves(world, mayRotate), ...readerMoves(world)];
}

function writerMoves(world: RotationWorld): Move<RotationWorld>[] {
  const { left, writers, nextTxid } = world;
  const moves: Move<RotationWorld>[] = [];
  if (left.events > 0) {
    const begun = { txid: nextTxid, table: undefined };
    moves.push({
      name: "begin",
      make: () => ({
        ...world,
        nextTxid: nextTxid + 1,
        writers: [...writers, begun],
        left: { ...left, events: left.events - 1 },
      }),
    });
  }
  for (const writer of writers) {
    const others = writers.filter((each) => each !== writer);
    if (writer.table === undefined) {
      const written = { ...writer, table: world.current };
      moves.push({
        name: `insert ${writer.txid}`,
        make: () => ({ ...world, writers: writers.map((each) => (each === writer ? written : each)) }),
      });
    } else {
      const event = { txid: writer.txid, table: writer.table };
      moves.push({
        name: `commit ${writer.txid}`,
        make: () => ({ ...world, writers: others, events: [...world.events, event] }),
      });
    }
  }
  return moves;
}

function snapshot({ writers, switching, nextTxid }: RotationWorld): Snapshot {
  const running = [...writers, ...(switching === undefined ? [] : [switching])].map(({ txid }) => txid);
  return { xmin: Math.min(...running, nextTxid), xmax: nextTxid, running };
}

function rotationMoves(world: RotationWorld, mayRotate: RotationRule): Move<RotationWorld>[] {
  const { left, step2, switching, nextTxid } = world;
  if (switching !== undefined) return [{ name: "switch", make: () => switched(world, switching.txid) }];
  if (step2 === undefined) {
    const make = () => ({ ...world, step2: nextTxid, nextTxid: nextTxid + 1 });
    return [{ name: "step 2", make }];
  }
  if (left.rotations === 0) return [];
  return [{ name: "step 1", make: () => rotated(world, step2, mayRotate) }];
}

function nextTable({ current }: RotationWorld): number {
  return (current + 1) % tables;
}

function rotated(world: RotationWorld, step2: number, mayRotate: RotationRule): RotationWorld {
  const after = {
    ...world,
    nextTxid: world.nextTxid + 1,
    left: { ...world.left, rotations: world.left.rotations - 1 },
  };
  const lowestXmin = world.ticks[world.place]!.xmin;
  if (!mayRotate({ lowestXmin, step1: world.step1, step2 })) return after;
  // A writer holds a lock on its table until it ends, and step 1 does not wait.
  const next = nextTable(world);
  if (world.writers.some(({ table }) => table === next)) return after;
  const lost = world.events.filter(({ table, txid }) => table === next && !world.delivered.includes(txid));
  assert.deepEqual(lost, [], "events are truncated that were not delivered");
  return { ...after, switching: { txid: world.nextTxid } };
}

function switched(world: RotationWorld, txid: number): RotationWorld {
  const next = nextTable(world);
  return {
    ...world,
    events: world.events.filter(({ table }) => table !== next),
    current: next,
    step1: txid,
    step2: undefined,
    switching: undefined,
  };
}

function readerMoves(world: RotationWorld): Move<RotationWorld>[] {
  const { left, ticks, place } = world;
  const moves: Move<RotationWorld>[] = [];
  if (left.ticks > 0) {
    const ticked = { ...world, ticks: [...ticks, snapshot(world)], nextTxid: world.nextTxid + 1 };
    moves.push({ name: "tick", make: () => ({ ...ticked, left: { ...left, ticks: left.ticks - 1 } }) });
  }
  if (world.isOpen) moves.push({ name: "read and finish", make: () => finished(world) });
  else if (place + 1 < ticks.length) moves.push({ name: "open", make: () => ({ ...world, isOpen: true }) });
  return moves;
}

/** The tables that a batch is looked for in. Source: pgq.batch_event_tables */
export function batchTables({ ticks, place, current, step1, step2 }: RotationWorld): number[] {
  const previous = (current + tables - 1) % tables;
  if (ticks[place + 1]!.xmax < step1) return [previous];
  if (step2 !== undefined && ticks[place]!.xmin > step2) return [current];
  return [previous, current];
}

function isVisible(txid: number, { xmax, running }: Snapshot): boolean {
  return txid < xmax && !running.includes(txid);
}

/** Transactions of the open batch, whatever table their events are in. */
function batchOf({ ticks, place, events }: RotationWorld): readonly StoredEvent[] {
  const [from, to] = [ticks[place]!, ticks[place + 1]!];
  return events.filter(({ txid }) => isVisible(txid, to) && !isVisible(txid, from));
}

function finished(world: RotationWorld): RotationWorld {
  const looked = batchTables(world);
  const found = batchOf(world).filter(({ table }) => looked.includes(table));
  assert.deepEqual(found, batchOf(world), "an event is in a table that is not looked into");
  const delivered = [...world.delivered, ...found.map(({ txid }) => txid)].toSorted((a, b) => a - b);
  assert.equal(new Set(delivered).size, delivered.length, "an event twice");
  return { ...world, place: world.place + 1, isOpen: false, delivered };
}

/** Throws where an event that a finished tick covers has not been delivered. */
export function checkRotation({ ticks, place, events, delivered }: RotationWorld): void {
  for (const { txid } of events) {
    const isDue = isVisible(txid, ticks[place]!);
    assert.equal(delivered.includes(txid), isDue, `event of transaction ${txid}`);
  }
}
