import type { QueueContent, QueuedEvent, QueuedTick } from "./queue-content.ts";

/** What one queue or the other may lack at its beginning. */
export interface RotatedAway {
  /** Ticks with lower ids: a queue's first ones may be its own. */
  readonly ticksBelow: bigint;
  /** Events with lower ids. */
  readonly eventsBelow: bigint;
  /** The oldest ticks, none of them later than this; microseconds since 1970. */
  readonly ticksUntil: bigint;
}

/** A branch's queue against the root's, up to the last tick that the branch has: ticks, events, and which events are between which
 * ticks. Nothing may be missing at the beginning but what rotation may have taken.
 * @returns what differs, at most one line each */
export function findQueueDifferences(root: QueueContent, branch: QueueContent, away: RotatedAway): string[] {
  const last = branch.ticks.at(-1)?.id ?? 0n;
  const first = firstTick(root, branch, away);
  const ticksOf = ({ ticks }: QueueContent) => ticks.filter(({ id }) => id >= first && id <= last);
  const linesOf = ({ events }: QueueContent) =>
    events
      .filter((event) => !event.isMessage && event.id >= away.eventsBelow && isUntil(event, last))
      .map(
        ({ tick, line }) => `${line} in ${tick! > first ? `the batch of tick ${tick}` : "an early batch"}`,
      );
  const seqs = findUnexplainedSeq(root, branch, first, last);
  return [
    ...firstDifference("tick", ticksOf(root).map(tickText), ticksOf(branch).map(tickText)),
    ...firstDifference("event", linesOf(root), linesOf(branch)),
    ...(seqs === undefined ? [] : [seqs]),
  ];
}

function isUntil({ tick }: QueuedEvent, last: bigint): boolean {
  return tick !== undefined && tick <= last;
}

function tickText({ id, time }: QueuedTick): string {
  return `${id} of ${new Date(Number(time / 1000n)).toISOString()} (${time})`;
}

/** From where on both must have all ticks. */
function firstTick(
  root: QueueContent,
  branch: QueueContent,
  { ticksBelow, ticksUntil }: RotatedAway,
): bigint {
  const both = [root, branch].map(({ ticks }) => ticks.filter(({ id }) => id >= ticksBelow));
  const kept = both.flatMap((ticks) => ticks.filter(({ time }) => time > ticksUntil).map(({ id }) => id));
  const begin = both.map(([tick]) => tick?.id ?? ticksBelow).reduce(largest);
  return kept.reduce(smallest, begin);
}

function firstDifference(what: string, expected: readonly string[], found: readonly string[]): string[] {
  const length = Math.max(expected.length, found.length);
  for (let at = 0; at < length; at += 1) {
    if (expected[at] === found[at]) continue;
    return [`${what} ${found[at] ?? "missing"}, the root has ${expected[at] ?? "none"}`];
  }
  return [];
}

/** The event numbers of ticks are hints: a root reads its own before it takes the snapshot, and a branch never goes below an id of
 * the batch or back. Any other reason for different ones would be an error.
 * Source: spec/cascade.md 7.3 step 8 */
function findUnexplainedSeq(
  root: QueueContent,
  branch: QueueContent,
  first: bigint,
  last: bigint,
): string | undefined {
  const expected = new Map(root.ticks.map((tick) => [tick.id, tick.eventSeq]));
  const ids = [...root.events, ...branch.events]
    .filter((event) => isUntil(event, last))
    .sort((a, b) => Number(a.tick! - b.tick!));
  let before: bigint | undefined;
  let explained: bigint | undefined;
  let nr = 0;
  for (const { id, eventSeq } of branch.ticks) {
    const other = expected.get(id);
    if (id < first || other === undefined) continue;
    if (before !== undefined && eventSeq < before)
      return `tick ${id} has event seq ${eventSeq}, after ${before}`;
    before = eventSeq;
    const [low, high] = eventSeq < other ? [eventSeq, other] : [other, eventSeq];
    explained = largest(explained ?? high, low);
    for (; nr < ids.length && ids[nr]!.tick! <= id; nr += 1) explained = largest(explained, ids[nr]!.id);
    if (high > explained) return `tick ${id} has event seq ${eventSeq}, on the root ${other}`;
  }
  return undefined;
}

function largest(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function smallest(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
