import { setTimeout as sleep } from "node:timers/promises";
import { randomAwkwardChange } from "./awkward-table.ts";
import type { DataSize } from "./data-set.ts";
import { Random } from "./random.ts";
import { type ServerPlace, Session } from "./session.ts";

/** What the writers did since the window was opened. */
export interface WriterWindow {
  readonly seconds: number;
  readonly transactions: number;
  /** The longest time that any writer waited for one transaction. */
  readonly longestMs: number;
}

/** The application: connections that run the TPC-B transaction one after the other, as fast as the server answers, and now
 * and then a change of the awkward table. */
export class Writers {
  readonly #size: DataSize;
  #isStopping = false;
  #loops: Promise<void>[] = [];
  #opened = performance.now();
  #transactions = 0;
  #longestMs = 0;
  #total = 0;

  private constructor(size: DataSize) {
    this.#size = size;
  }

  /** @param seed the same seed gives every writer the same series of changes */
  static async start(
    place: ServerPlace,
    database: string,
    size: DataSize,
    count: number,
    seed: number,
  ): Promise<Writers> {
    const writers = new Writers(size);
    const sessions = await Promise.all(
      Array.from({ length: count }, () => Session.open(place, database, "demo writer")),
    );
    writers.#loops = sessions.map((session, index) => writers.#write(session, new Random(seed + index)));
    // A failure is told by stop() or check(): until then it must not end the process.
    for (const loop of writers.#loops) loop.catch(() => {});
    return writers;
  }

  get transactionCount(): number {
    return this.#total;
  }

  async #write(session: Session, random: Random): Promise<void> {
    await using _ = session;
    while (!this.#isStopping) {
      const started = performance.now();
      if (random.next() < 0.1) {
        const { sql, parameters } = randomAwkwardChange(random, this.#size.awkwardKeys);
        await session.run(sql, parameters);
      } else {
        await session.execute(bankTransaction(random, this.#size));
      }
      this.#longestMs = Math.max(this.#longestMs, performance.now() - started);
      this.#transactions += 1;
      this.#total += 1;
    }
  }

  /** Closes the window of measurement and opens the next one. */
  takeWindow(): WriterWindow {
    const now = performance.now();
    const window = {
      seconds: (now - this.#opened) / 1000,
      transactions: this.#transactions,
      longestMs: this.#longestMs,
    };
    this.#opened = now;
    this.#transactions = 0;
    this.#longestMs = 0;
    return window;
  }

  /** Resolves after the time.
   * @throws the first failure of a writer, at once */
  async runFor(milliseconds: number): Promise<void> {
    await Promise.race([sleep(milliseconds), Promise.all(this.#loops)]);
  }

  /** Resolves when every transaction that was begun is committed.
   * @throws the first failure of a writer */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#loops);
  }
}

/** Source: TPC-B, clause 1.2, the transaction profile. */
function bankTransaction(random: Random, size: DataSize): string {
  const account = random.integer(1, size.accounts);
  const teller = random.integer(1, size.tellers);
  const branch = Math.ceil(teller / 10);
  const delta = random.integer(-5000, 5000);
  return `begin;
update accounts set abalance = abalance + ${delta} where aid = ${account};
update tellers set tbalance = tbalance + ${delta} where tid = ${teller};
update branches set bbalance = bbalance + ${delta} where bid = ${branch};
insert into history (tid, bid, aid, delta, mtime)
  values (${teller}, ${branch}, ${account}, ${delta}, clock_timestamp());
commit`;
}
