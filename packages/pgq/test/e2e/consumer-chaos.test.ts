import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Cluster, type RunningProgram, startCluster, TcpProxy, waitFor } from "@skytools/testbed";
import { type ConsumerKind, ConsumerProcess } from "../fixture/consumer-process.js";
import { QueueDatabase } from "../fixture/queue-database.js";

/** The clock of the process jumps back and forth by a day, at each look. */
const jumpingClock = `
  const Real = Date;
  let looks = 0;
  globalThis.Date = class extends Real {
    constructor(...parts) { parts.length > 0 ? super(...parts) : super(Real.now() + Date.#jump()); }
    static now() { return Real.now() + Date.#jump(); }
    static #jump() { return (looks++ % 2) * 86400000; }
  };`;

interface Subject {
  readonly kind: ConsumerKind;
  readonly records: QueueDatabase;
  readonly program: RunningProgram;
  readonly directory: string;
}

describe("consumers in a world that fails", () => {
  let cluster: Cluster;
  let proxy: TcpProxy;
  let queue: QueueDatabase;
  const subjects: Subject[] = [];
  const cleanUps: AsyncDisposable[] = [];
  let produced = 0;

  before(async () => {
    cluster = await startCluster();
    proxy = await TcpProxy.start(cluster);
    queue = await QueueDatabase.create(cluster, "source");
    for (const kind of ["plain", "serial", "local"] as const) {
      const name = kind === "plain" ? "source" : `${kind}_target`;
      const records = kind === "plain" ? queue : await QueueDatabase.create(cluster, name);
      const process = await ConsumerProcess.create(kind, {
        job_name: kind,
        src_db: `${proxy.connstr("source")} connect_timeout=5`,
        dst_db: `${proxy.connstr(name)} connect_timeout=5`,
        loop_delay: 0.05,
      });
      await queue.query("select pgq.register_consumer('q', $1)", [kind]);
      const isClockJumping = kind === "serial";
      const program = process.start(
        isClockJumping
          ? { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(jumpingClock)}` }
          : {},
      );
      subjects.push({ kind, records, program, directory: process.directory });
      cleanUps.push(process, program);
    }
  });
  after(async () => {
    for (const each of cleanUps.toReversed()) await each[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  /** One batch of events, each with data of its own. */
  async function batch(size: number): Promise<void> {
    const data = Array.from({ length: size }, (_, at) => `event ${produced + at + 1}`);
    produced += size;
    await queue.produce(...data);
  }

  /** Some events in some batches. @returns the data of the last */
  async function produce(): Promise<string> {
    for (let round = 0; round < 3; round += 1) await batch(40);
    return `event ${produced}`;
  }

  const lastSeen = async ({ records }: Subject) => (await records.seen()).at(-1);

  async function waitUntilSeen(data: string, of: readonly Subject[] = subjects): Promise<void> {
    for (const subject of of) {
      await waitFor(`${data} at ${subject.kind}`, async () => (await subject.records.seen()).includes(data), {
        onTimeout: () => subject.program.outputTail(),
      });
    }
  }

  const disturbances: readonly { name: string; disturb: () => Promise<void> }[] = [
    { name: "the server is restarted", disturb: () => cluster.restart() },
    { name: "the server crashes", disturb: () => cluster.restart("immediate") },
    {
      name: "backends are terminated, again and again",
      disturb: async () => {
        for (let round = 0; round < 5; round += 1) {
          await cluster.terminateBackends();
          await batch(1);
        }
      },
    },
    {
      name: "connections are reset in mid-batch",
      disturb: async () => {
        for (let round = 0; round < 5; round += 1) {
          proxy.cut();
          await batch(20);
        }
      },
    },
    {
      name: "the network stalls and comes back",
      disturb: async () => {
        proxy.pause();
        await produce();
        proxy.resume();
      },
    },
    {
      name: "connections are half-open for a while and then found dead",
      disturb: async () => {
        proxy.pause();
        await produce();
        proxy.cut();
        proxy.resume();
      },
    },
    {
      name: "the server is away for several attempts",
      disturb: async () => {
        await cluster.stop();
        const crashes = () => subjects.map(({ program }) => program.stderrText().split(" ERROR Job ").length);
        const before = crashes();
        await waitFor("failures of all", () => crashes().every((count, at) => count > before[at]! + 1), {
          onTimeout: () => subjects.map(({ program }) => program.outputTail()).join(""),
        });
        await cluster.start();
      },
    },
  ];

  for (const { name, disturb } of disturbances) {
    it(`resume alone when ${name}`, async () => {
      await waitUntilSeen(await produce());
      await produce();
      await disturb();
      await waitUntilSeen(await produce());
    });
  }

  it("keep a batch open while there is no room for the tick file", async () => {
    const local = subjects.find(({ kind }) => kind === "local")!;
    const tickFile = join(local.directory, "c.tick");
    const fresh = `${tickFile}.new`;
    await waitFor("the local consumer to have nothing to write", async () => {
      const [row] = await queue.query<{ is_idle: boolean }>(
        `select current_batch is null and last_tick = last_tick_id as is_idle
           from pgq.get_consumer_info('q', 'local'), pgq.get_queue_info('q')`,
      );
      return row!.is_idle;
    });
    // Every write to that device finds the disk full.
    symlinkSync("/dev/full", fresh);
    const before = readFileSync(tickFile, "utf8");
    const data = await produce();
    await local.program.waitForOutput(/tick file \S+ cannot be written: ENOSPC/);
    assert.equal(readFileSync(tickFile, "utf8"), before);
    rmSync(fresh);
    await waitUntilSeen(data);
    assert.ok(existsSync(tickFile));
  });

  it("have lost nothing and skipped nothing; where the work is transactional, each event counted once", async () => {
    const data = await queue.query<{ data: string }>(
      "select ev_data as data from pgq.event_template order by ev_id",
    );
    const all = data.map((event) => event.data);
    assert.equal(new Set(all).size, all.length);
    for (const subject of subjects) {
      await waitFor(`the end at ${subject.kind}`, async () => (await lastSeen(subject)) === all.at(-1));
      const seen = await subject.records.seen();
      const once = subject.kind === "local" ? [...new Set(seen)] : seen;
      assert.deepEqual(once, all, subject.kind);
      assert.equal(subject.program.isRunning, true);
      const durations = [...subject.program.stderrText().matchAll(/duration: (-?[\d.]+)/g)].map(([, text]) =>
        Number(text),
      );
      assert.ok(
        durations.every((seconds) => seconds >= 0 && seconds < 600),
        durations.join(" "),
      );
    }
  });
});
