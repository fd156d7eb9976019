import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { waitFor } from "@skytools/testbed";
import { completedTick } from "../fixture/cascade-set.js";
import { RunningSet } from "../fixture/running-set.js";

describe("a branch whose queue is dropped by hand while its worker runs", () => {
  let running: RunningSet;

  before(async () => {
    running = await RunningSet.create({
      oslo: { type: "root", provider: null },
      riga: { type: "branch", provider: "oslo" },
      bergen: { type: "branch", provider: "oslo" },
      tartu: { type: "leaf", provider: "riga" },
    });
  });
  after(() => running[Symbol.asyncDispose]());

  const drop = (name: string) => running.member(name).query("select pgq.drop_queue('q', true)");

  async function waitForNewest(name: string): Promise<void> {
    const [newest] = await running
      .member("oslo")
      .query<{ tick: string }>("select max(tick_id)::text as tick from pgq.tick");
    await waitFor(
      `${name} at tick ${newest!.tick}`,
      async () => BigInt(await completedTick(running.member(name))) >= BigInt(newest!.tick),
      { onTimeout: () => running.worker(name).outputTail() },
    );
  }

  it("is refused where another node reads from it", async () => {
    await assert.rejects(drop("riga"), /violates foreign key constraint .* on table "subscriber_info"/);
    await running.writeTo("oslo", "one");
    for (const name of ["bergen", "tartu"]) await waitForNewest(name);
  });

  it("elsewhere its worker says so again and again, and takes no batch", async () => {
    const bergen = running.member("bergen");
    await drop("bergen");
    const position = await completedTick(bergen);
    await running.writeTo("oslo", "two");
    const said = /is_batch_done: last branch tick = none[^\n]*\n[^\n]*The branch's own queue was dropped/;
    await running.worker("bergen").waitForOutput(new RegExp(`${said.source}[\\s\\S]*${said.source}`));
    assert.equal(await completedTick(bergen), position);
    const [row] = await bergen.query<{ error: string }>(
      "select cur_error as error from pgq_node.local_state",
    );
    assert.match(row!.error, /last branch tick = none/);
  });
});
