import assert from "node:assert/strict";
import { test } from "node:test";
import type { Database, Job } from "@skytools/skytools";
import type { CascadeAdmin, TakeoverProblem } from "#src/cascade/cascade-admin.js";
import { Patience } from "#src/cascade/plan/patience.js";
import type { LiveMember } from "#src/cascade/plan/set-state.js";
import { prepareRoot } from "#src/cascade/plan/step/prepare-root.js";
import type { TakeoverRequest } from "#src/cascade/plan/takeover-request.js";

const job = {} as Job;
const db = {} as Database;
const taker = { nodeName: "riga", db } as LiveMember;

/** The step of an application that has that to say when it is asked once more. */
function prepareWith(problems: readonly TakeoverProblem[], isForced: boolean) {
  const prepared: Database[] = [];
  const admin: Pick<CascadeAdmin, "job" | "queueName" | "hooks"> = {
    job,
    queueName: "q",
    hooks: {
      checkTakeover: async () => problems,
      newRoot: { action: "prepare", prepare: async (_admin, database) => void prepared.push(database) },
    },
  };
  const context = { admin: admin as CascadeAdmin, patience: new Patience(job, 0) };
  const request = { taker, isForced } as TakeoverRequest;
  const [step] = prepareRoot(context, request, undefined, async () => false);
  return { step: step!, prepared };
}

const late = { text: "table public.late is not replicated on the new root", hint: "Add it there." };

test("a table that has come to the set since the takeover was begun ends it before the promotion", async () => {
  const { step, prepared } = prepareWith([late], false);
  await assert.rejects(step.run(), { code: "CASCADE_REFUSED", message: late.text, hint: late.hint });
  assert.equal(prepared.length, 0);
});

test("the new root is prepared where nothing speaks against it, and with --force", async () => {
  for (const [problems, isForced] of [
    [[], false],
    [[late], true],
  ] as const) {
    const { step, prepared } = prepareWith(problems, isForced);
    await step.run();
    assert.deepEqual(prepared, [db]);
  }
});
