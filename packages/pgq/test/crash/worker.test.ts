import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { CascadeSet, completedTick, type Member, produce, waitForTick } from "../fixture/cascade-set.js";

const leafPoints = [
  "worker.before-apply",
  "worker.before-target-commit",
  "worker.after-target-commit",
  "worker.after-source-finish",
];
const branchPoints = [...leafPoints, "worker.after-queue-copy", "worker.after-tick"];

/** What the root has, and what every node must have in the end. */
interface Expected {
  readonly events: readonly object[];
  readonly ticks: readonly object[];
}

const eventColumns = "ev_id::text, ev_time::text, ev_type, ev_data, ev_extra1, ev_extra2";
const ticksSql = `select tick_id::text, tick_time::text, tick_event_seq::text
                    from pgq.tick where tick_id > $1 order by tick.tick_id`;

describe("a worker that is killed and started again", () => {
  let set: CascadeSet;
  let root: Member;

  before(async () => {
    set = await CascadeSet.create(2);
    root = await set.member("root", 0);
    await root.command("create-root", "root", root.connstr);
  });
  after(() => set[Symbol.asyncDispose]());

  /** Creates a node, lets its worker die at a point in the second batch, starts it again.
   * @returns the node, and what the root has for it */
  async function dieAndContinue(
    type: "branch" | "leaf",
    point: string,
  ): Promise<{ member: Member; startTick: string; expected: Expected }> {
    const name = `${type}_${point.replaceAll(/\W/g, "_")}`;
    const member = await set.member(name, 1);
    await member.command(`create-${type}`, name, member.connstr, `--provider=${root.connstr}`);
    const startTick = await completedTick(member);
    await produce(root, ["first", "a"]);
    await produce(root, ["second", "b", "c"]);
    await using victim = member.startWorker({ SKYTOOLS_CRASH_POINT: `${point}=kill:2` });
    const { signal } = await victim.exit;
    assert.equal(signal, "SIGKILL", victim.outputTail());
    await produce(root, ["third"]);
    const last = await produce(root, []);
    await using survivor = member.startWorker();
    await waitForTick(member, last, survivor);
    return { member, startTick, expected: await expectedSince(startTick) };
  }

  /** What came into the root's queue after a tick. */
  async function expectedSince(startTick: string): Promise<Expected> {
    const events = await root.query(
      `select ${eventColumns} from pgq.event_1, pgq.tick
        where tick_id = $1 and not pg_visible_in_snapshot(ev_txid::text::xid8, tick_snapshot::text::pg_snapshot)
        order by event_1.ev_id`,
      [startTick],
    );
    return { events, ticks: await root.query(ticksSql, [startTick]) };
  }

  for (const point of leafPoints) {
    it(`has applied every event once on a leaf after dying at ${point}`, async () => {
      const { member, expected } = await dieAndContinue("leaf", point);
      assert.deepEqual(dataEvents(await member.applied()), dataEvents(expected.events));
    });
  }

  for (const point of branchPoints) {
    it(`has the same queue as the root on a branch after dying at ${point}`, async () => {
      const { member, startTick, expected } = await dieAndContinue("branch", point);
      const events = await member.query(`select ${eventColumns} from pgq.event_1 order by event_1.ev_id`);
      assert.deepEqual(events, expected.events);
      assert.deepEqual(await member.query(ticksSql, [startTick]), expected.ticks);
      assert.deepEqual(dataEvents(await member.applied()), dataEvents(expected.events));
    });
  }

  it("never applies a batch twice although two workers run under one name", async () => {
    const member = await set.member("twins", 1);
    await member.command("create-leaf", "twins", member.connstr, `--provider=${root.connstr}`);
    const startTick = await completedTick(member);
    await using one = member.startWorker();
    await using two = member.startWorker();
    let last = "";
    for (let batch = 0; batch < 30; batch += 1) last = await produce(root, [`twin ${batch}`]);
    await waitForTick(member, last, one);
    const { events } = await expectedSince(startTick);
    assert.deepEqual(dataEvents(await member.applied()), dataEvents(events));
    assert.doesNotMatch(one.stderrText() + two.stderrText(), /duplicate key/);
  });
});

/** Ids and types of the events that are not the cascade's own. */
function dataEvents(rows: readonly object[]): string[] {
  return rows
    .map((row) => row as { ev_id: string; ev_type: string })
    .filter((row) => !row.ev_type.startsWith("pgq."))
    .map((row) => `${row.ev_id} ${row.ev_type}`);
}
