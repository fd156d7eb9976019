import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { RunningProgram } from "@skytools/testbed";
import { waitFor } from "@skytools/testbed";
import { CascadeSet, type Member, tick } from "../fixture/cascade-set.js";

/** A command that waits says why several times, while nobody works. */
const oftenTold = "--set=wait_report_period=0.2";

describe("a command that waits for workers that do not run", () => {
  let set: CascadeSet;
  let root: Member;
  let branch: Member;
  let leaf: Member;

  before(async () => {
    set = await CascadeSet.create(1);
    root = await set.member("root", 0);
    branch = await set.member("branch", 0);
    leaf = await set.member("leaf", 0);
    await root.command("create-root", "oslo", root.connstr);
    await branch.command("create-branch", "riga", branch.connstr, `--provider=${root.connstr}`);
    await leaf.command("create-leaf", "tartu", leaf.connstr, `--provider=${branch.connstr}`);
  });
  after(() => set[Symbol.asyncDispose]());

  /** @returns what the command has said, when it has ended well */
  async function endOf(command: RunningProgram): Promise<string> {
    await using _root = root.startWorker();
    await using _branch = branch.startWorker();
    await using _leaf = leaf.startWorker();
    await waitFor(
      "the command to end",
      async () => {
        // one that is no root any more makes no tick, and none is waited for then
        await tick(root).catch(() => undefined);
        return !command.isRunning;
      },
      { onTimeout: () => command.outputTail() },
    );
    assert.equal((await command.exit).code, 0, command.outputTail());
    return command.outputTail();
  }

  for (const name of ["wait-root", "wait-provider"]) {
    it(`${name} tells again and again why it stands, and ends when they are there`, async () => {
      await using waiting = leaf.start(name, oftenTold);
      const told =
        /WARNING the local node has reached tick \d+, not yet one after \d+\nHINT: .*worker "leaf_worker" is not connected/;
      await waiting.waitForOutput(new RegExp(`${told.source}[\\s\\S]*${told.source}`));
      assert.match(await endOf(waiting), /Got tick \d+, exiting/);
    });
  }

  it("says nothing where it is to say nothing", async () => {
    const late = await leaf.run(["wait-root", "--timeout=0.5", "--set=wait_report_period=0"]);
    assert.equal(late.code, 1);
    assert.doesNotMatch(late.stderr, /WARNING/);
    assert.match(late.stderr, /the local node has reached tick/);
  });

  it("takeover tells again and again who does not answer, and ends when they do", async () => {
    await using takeover = branch.start("takeover", "oslo", "--timeout=0", oftenTold);
    const told = /WARNING .*worker "branch_worker" of node "riga" does not answer.*\nHINT: Start it/;
    await takeover.waitForOutput(new RegExp(`${told.source}[\\s\\S]*${told.source}`));
    assert.match(await endOf(takeover), /takeover of oslo by riga: done/);
  });
});
