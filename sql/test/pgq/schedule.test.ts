import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import fc from "fast-check";
import { databaseFixture } from "../fixture.ts";
import { call, createEagerQueue } from "./queue.ts";

const fixture = databaseFixture(["pgq"], {
  settings: { max_prepared_transactions: "20", log_statement: "none" },
});

/** One step of a producer, the ticker, a consumer or the maintenance. */
type Step =
  | { readonly kind: "insert"; readonly writer: number; readonly count: number }
  | {
      readonly kind: "savepoint" | "release" | "rollbackTo" | "commit" | "rollback" | "prepare";
      readonly writer: number;
    }
  | { readonly kind: "resolve"; readonly commits: boolean }
  | { readonly kind: "tick" | "consume" | "open" | "rotate" | "burn" };

const writerCount = 3;
const writer = fc.nat(writerCount - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("insert" as const),
      writer,
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom("savepoint", "release", "rollbackTo", "commit", "commit", "rollback", "prepare"),
      writer,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("resolve" as const), commits: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom("tick", "tick", "consume", "consume", "open", "rotate", "burn"),
    }),
  },
);

/** A producer that knows which of its events are committed. */
class Writer {
  readonly #db: Database;
  readonly #name: string;
  /** events of the open transaction, by savepoint level */
  #levels: string[][] = [[]];
  #count = 0;

  constructor(db: Database, name: string) {
    this.#db = db;
    this.#name = name;
  }

  async insert(queue: string, count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      const data = `${this.#name}.${++this.#count}`;
      if (n % 2 === 0) await call(this.#db, "pgq.insert_event", queue, "t", data);
      else await this.#db.query("select pgq.insert_events($1, '{t}', $2)", [queue, [data]]);
      this.#levels.at(-1)!.push(data);
    }
  }

  async savepoint(): Promise<void> {
    await this.#db.execute("savepoint s");
    this.#levels.push([]);
  }

  async endSavepoint(keep: boolean): Promise<void> {
    if (this.#levels.length < 2) return;
    await this.#db.execute(keep ? "release savepoint s" : "rollback to savepoint s; release savepoint s");
    const events = this.#levels.pop()!;
    if (keep) this.#levels.at(-1)!.push(...events);
  }

  /** @returns the transaction's events */
  async end(statement: string): Promise<string[]> {
    const events = this.#levels.flat();
    this.#levels = [[]];
    if (this.#db.inTransaction) await this.#db.execute(statement);
    return events;
  }
}

async function run(steps: readonly Step[]): Promise<void> {
  const { db, another } = await fixture.database();
  const sessions = [db];
  try {
    for (let n = 0; n < writerCount; n++) sessions.push(await another({ autocommit: false }));
    await runOn(db, sessions.slice(1), steps);
  } finally {
    for (const session of sessions) await session.close();
  }
}

async function runOn(db: Database, producers: readonly Database[], steps: readonly Step[]): Promise<void> {
  await createEagerQueue(db, "q");
  await call(db, "pgq.set_queue_config", "q", "rotation_period", "0");
  await call(db, "pgq.register_consumer", "q", "c");
  const writers = producers.map((producer, n) => new Writer(producer, `w${n}`));
  const prepared: { readonly name: string; readonly events: string[] }[] = [];
  const database = await db.queryValue<string>("select current_database()");
  let preparedCount = 0;
  const committed: string[] = [];
  const delivered: string[] = [];

  const consume = async (): Promise<boolean> => {
    const batch = await call<bigint | null>(db, "pgq.next_batch", "q", "c");
    if (batch === null) return false;
    const rows = await db.query<{ ev_id: bigint; ev_data: string }>(
      "select ev_id, ev_data from pgq.get_batch_events($1)",
      [batch],
    );
    const ids = rows.map((row) => row.ev_id);
    deepEqual(
      ids,
      [...ids].sort((a, b) => (a < b ? -1 : 1)),
      "order inside a batch",
    );
    delivered.push(...rows.map((row) => row.ev_data));
    await call(db, "pgq.finish_batch", batch);
    return true;
  };
  const resolve = async (commits: boolean): Promise<void> => {
    const transaction = prepared.shift();
    if (transaction === undefined) return;
    await db.execute(`${commits ? "commit" : "rollback"} prepared '${transaction.name}'`);
    if (commits) committed.push(...transaction.events);
  };
  const apply = async (next: Step): Promise<void> => {
    switch (next.kind) {
      case "insert":
        return writers[next.writer]!.insert("q", next.count);
      case "savepoint":
        return writers[next.writer]!.savepoint();
      case "release":
      case "rollbackTo":
        return writers[next.writer]!.endSavepoint(next.kind === "release");
      case "commit":
        committed.push(...(await writers[next.writer]!.end("commit")));
        return;
      case "rollback":
        await writers[next.writer]!.end("rollback");
        return;
      case "prepare": {
        const name = `${database} ${++preparedCount}`;
        prepared.push({ name, events: await writers[next.writer]!.end(`prepare transaction '${name}'`) });
        const exists = await db.queryValue("select count(*) from pg_prepared_xacts where gid = $1", [name]);
        if (exists === 0n) prepared.pop();
        return;
      }
      case "resolve":
        return resolve(next.commits);
      case "tick":
        await call(db, "pgq.ticker", "q");
        return;
      case "consume":
        await consume();
        return;
      case "open":
        await call(db, "pgq.next_batch", "q", "c");
        return;
      case "rotate":
        await call(db, "pgq.maint_rotate_tables_step1", "q");
        await call(db, "pgq.maint_rotate_tables_step2");
        return;
      case "burn":
        for (let n = 0; n < 40; n++) await db.query("select txid_current()");
        return;
    }
  };

  for (const next of steps) await apply(next);
  for (const one of writers) committed.push(...(await one.end("commit")));
  while (prepared.length > 0) await resolve(true);
  await call(db, "pgq.ticker", "q");
  while (await consume()) {
    // until nothing is left
  }
  deepEqual(delivered.sort(), committed.sort());
}

test("whatever writers, ticker, consumer and rotation do: each committed event comes exactly once", async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 70 }), run), {
    numRuns: Number(process.env.SKYTOOLS_PROPERTY_RUNS ?? 25),
  });
});
