import { type Database, SkytoolsError } from "@skytools/skytools";
import { retryEvent } from "../pgq-api.ts";
import type { EventTag } from "./event-tag.ts";

/** Hands the tags of a batch to the server, within the open transaction: in one statement that reads the batch once, or
 * event by event where the server's PgQ has no such function.
 * @returns how many events were sent to the retry queue and to the failed events
 * @throws SkytoolsError FAILED_EVENTS when the server's PgQ keeps no failed events */
export async function sendTags(
  source: Database,
  batchId: bigint,
  tags: readonly (readonly [bigint, EventTag])[],
): Promise<{ retried: number; failed: number }> {
  const retries: [bigint, number][] = [];
  const failures: [bigint, string][] = [];
  for (const [id, tag] of tags) {
    if (tag.kind === "retry") retries.push([id, tag.seconds]);
    else failures.push([id, tag.reason]);
  }
  if (retries.length > 0) await sendRetries(source, batchId, retries);
  if (failures.length > 0) await sendFailures(source, batchId, failures);
  return { retried: retries.length, failed: failures.length };
}

async function sendRetries(
  source: Database,
  batchId: bigint,
  retries: readonly [bigint, number][],
): Promise<void> {
  if (await hasFunction(source, "pgq.retry_events(bigint,bigint[],integer[])")) {
    await source.query("select pgq.retry_events($1::int8, $2::int8[], $3::int4[])", [
      batchId,
      retries.map(([id]) => id),
      retries.map(([, seconds]) => seconds),
    ]);
    return;
  }
  for (const [id, seconds] of retries) await retryEvent(source, batchId, id, seconds);
}

async function sendFailures(
  source: Database,
  batchId: bigint,
  failures: readonly [bigint, string][],
): Promise<void> {
  if (!(await hasFunction(source, "pgq.fail_events(bigint,bigint[],text[])"))) {
    throw new SkytoolsError("FAILED_EVENTS", `the PgQ of ${source.label} keeps no failed events`, {
      hint: "Install the pgq module of this release there, or handle the event otherwise.",
    });
  }
  await source.query("select pgq.fail_events($1::int8, $2::int8[], $3::text[])", [
    batchId,
    failures.map(([id]) => id),
    failures.map(([, reason]) => reason),
  ]);
}

async function hasFunction(source: Database, signature: string): Promise<boolean> {
  return (await source.queryValue<boolean>("select to_regprocedure($1) is not null", [signature])) === true;
}
