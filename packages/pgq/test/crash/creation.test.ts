import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { CascadeSet, type Member, produce, waitForTick } from "../fixture/cascade-set.js";

const points = ["plan.after-register-member@root", "plan.after-subscribe@root", "create.before-local-commit"];

describe("create-leaf and create-branch that are killed and run again", () => {
  let set: CascadeSet;
  let root: Member;

  before(async () => {
    set = await CascadeSet.create(2);
    root = await set.member("root", 0);
    const killed = await root.run(["create-root", "root", root.connstr], {
      SKYTOOLS_CRASH_POINT: "create.before-local-commit=kill",
    });
    assert.equal(killed.code, 137, killed.stderr);
    await root.command("create-root", "root", root.connstr);
  });
  after(() => set[Symbol.asyncDispose]());

  for (const [index, point] of points.entries()) {
    for (const type of ["leaf", "branch"]) {
      it(`make a working ${type} after dying at ${point}, although the queue has moved on`, async () => {
        const name = `${type}${index}`;
        const member = await set.member(name, 1);
        const create = [`create-${type}`, name, member.connstr, `--provider=${root.connstr}`];
        const killed = await member.run(create, { SKYTOOLS_CRASH_POINT: `${point}=kill` });
        assert.equal(killed.code, 137, killed.stderr);
        await produce(root, ["meanwhile"]);
        await member.command(...create);
        await using worker = member.startWorker();
        await waitForTick(member, await produce(root, ["after"]), worker);
        const types = (await member.applied()).map((row) => row.ev_type);
        assert.equal(types.at(-1), "after");
        const subscribers = await root.query(
          "select subscriber_node from pgq_node.subscriber_info where subscriber_node = $1",
          [name],
        );
        assert.equal(subscribers.length, 1);
      });
    }
  }

  it("say so when the node exists, and change nothing", async () => {
    const again = await root.command("create-root", "root", root.connstr);
    assert.match(again.stderr, /INFO Node is already initialized as root/);
  });
});
