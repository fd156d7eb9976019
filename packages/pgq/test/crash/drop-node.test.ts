import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { CascadeSet, type Member } from "../fixture/cascade-set.js";

describe("drop-node that is killed and run again", () => {
  let set: CascadeSet;
  let root: Member;
  let other: Member;

  before(async () => {
    set = await CascadeSet.create(1);
    root = await set.member("root", 0);
    other = await set.member("other", 0);
    await root.command("create-root", "root", root.connstr);
    await other.command("create-leaf", "other", other.connstr, `--provider=${root.connstr}`);
  });
  after(() => set[Symbol.asyncDispose]());

  const runners: [string, (doomed: Member) => Member][] = [
    ["the root", () => root],
    ["another node", () => other],
    ["the node itself", (doomed) => doomed],
  ];
  const lastOf: Readonly<Record<string, string>> = {
    "the root": "root",
    "another node": "other",
    "the node itself": "the node",
  };
  for (const [who, runnerOf] of runners) {
    for (const where of ["the node", "root", "other"]) {
      // whoever runs it is the last to forget: after that there is nothing to go on with
      if (lastOf[who] === where) continue;
      it(`leaves nothing of the node after dying on ${where}, run on ${who}`, async () => {
        const name = `doomed_${who.replaceAll(" ", "_")}_on_${where.replaceAll(" ", "_")}`;
        const doomed = await set.member(name, 0);
        await doomed.command("create-leaf", name, doomed.connstr, `--provider=${root.connstr}`);
        await other.query("select * from pgq_node.register_location('q', $1, $2, false)", [
          name,
          doomed.connstr,
        ]);
        const runner = runnerOf(doomed);
        const killed = await runner.run(["drop-node", name], {
          SKYTOOLS_CRASH_POINT: `plan.after-drop@${where === "the node" ? name : where}=kill`,
        });
        assert.equal(killed.code, 137, killed.stderr);
        await runner.command("drop-node", name);
        for (const member of [root, other, doomed]) {
          const left = await member.query(
            `select node_name from pgq_node.node_location where node_name = $1
             union all select consumer_name from pgq.get_consumer_info('q')
                        where consumer_name in ($1 || '_worker', '.' || $1 || '.watermark')`,
            [name],
          );
          assert.deepEqual(left, []);
        }
      });
    }
  }
});
