import { HighestId } from "@skytools/pgq";
import type { RowEventKind } from "./event-kind.ts";
import type { TableEvents } from "./table-events.ts";

const tab = 0x09;
const newline = 0x0a;
const backslash = 0x5c;
const letterN = 0x4e;

/** Where the row events of one type and table go. */
export interface EventRoute {
  readonly events: TableEvents;
  readonly kind: RowEventKind;
}

interface KnownRoute extends EventRoute {
  /** raw type, tab, raw extra1 */
  readonly header: Buffer;
}

/** Finds the way of a row event by the bytes that its line begins with, without making a string of them. */
export class EventRoutes {
  readonly #routes = new Map<number, KnownRoute>();
  readonly #highestId = new HighestId();
  /** the route taken last: events of one kind come in rows */
  #last: KnownRoute | undefined;
  eventCount = 0;

  /** @param line the whole line */
  learn(line: Buffer, route: EventRoute): void {
    const headerEnd = line.indexOf(tab, line.indexOf(tab) + 1);
    const header = Buffer.from(line.subarray(0, headerEnd));
    this.#routes.set(hashOf(header, 0, headerEnd), { ...route, header });
    this.#last = undefined;
  }

  forget(): void {
    this.#routes.clear();
    this.#last = undefined;
  }

  get maxId(): bigint {
    return this.#highestId.value;
  }

  /** Takes as many lines as it knows the way of.
   * @returns where the line begins that has to be looked at; the block's length when there is none */
  takeLines(block: Buffer, from: number): number {
    let start = from;
    while (start < block.length) {
      const end = this.#takeLine(block, start);
      if (end < 0) return start;
      start = end;
    }
    return start;
  }

  /** @returns the end of the line, -1 when somebody else has to look at it; it is counted only if taken */
  #takeLine(block: Buffer, start: number): number {
    const route = this.#routeOf(block, start);
    if (route === undefined) return -1;
    this.#last = route;
    const idStart = start + route.header.length + 1;
    const idEnd = nextTab(block, idStart);
    const txidEnd = nextTab(block, idEnd + 1);
    // Neither a retry count nor extras: \N, tab, \N, tab.
    if (!isNullField(block, txidEnd + 1) || !isNullField(block, txidEnd + 4)) return -1;
    const dataStart = txidEnd + 7;
    const lineEnd = block.indexOf(newline, dataStart);
    if (!route.events.addBytes(block, idStart, txidEnd, dataStart, lineEnd, route.kind)) return -1;
    this.#count(block, idStart, idEnd);
    return lineEnd + 1;
  }

  #routeOf(block: Buffer, start: number): KnownRoute | undefined {
    const last = this.#last;
    if (last !== undefined && beginsWith(block, start, last.header)) return last;
    let hash = 17;
    let tabs = 0;
    for (let at = start; ; at += 1) {
      const byte = block[at]!;
      if (byte === newline) return undefined;
      if (byte === tab) {
        tabs += 1;
        if (tabs === 2) break;
      }
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    const route = this.#routes.get(hash);
    return route !== undefined && beginsWith(block, start, route.header) ? route : undefined;
  }

  /** Counts a line that somebody else has taken. */
  count(id: string): void {
    this.#count(Buffer.from(id, "latin1"), 0, id.length);
  }

  #count(block: Buffer, start: number, end: number): void {
    this.eventCount += 1;
    this.#highestId.take(block, start, end);
  }
}

function hashOf(bytes: Buffer, start: number, end: number): number {
  let hash = 17;
  for (let at = start; at < end; at += 1) hash = (Math.imul(hash, 31) + bytes[at]!) | 0;
  return hash;
}

/** True when a line begins with this header, and a tab behind it. */
function beginsWith(block: Buffer, start: number, header: Buffer): boolean {
  for (let at = 0; at < header.length; at += 1) if (header[at] !== block[start + at]) return false;
  return block[start + header.length] === tab;
}

/** For fields of a few bytes, where a call of indexOf() costs more. */
function nextTab(block: Buffer, start: number): number {
  let at = start;
  while (block[at] !== tab) at += 1;
  return at;
}

function isNullField(block: Buffer, at: number): boolean {
  return block[at] === backslash && block[at + 1] === letterN && block[at + 2] === tab;
}
