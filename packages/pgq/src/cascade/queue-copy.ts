import type { Database } from "@skytools/skytools";
import { pipeCopy } from "@skytools/skytools";
import { currentEventTable } from "../pgq-api.ts";

const copiedColumns = "ev_id, ev_time, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4";

/** Copies the events of a batch into a queue of the target, ids and times kept, as one COPY from server to server inside the
 * target's open transaction. Transaction ids are not copied: on every node events carry local ones.
 * @param eventQuery the batch's SELECT
 * @returns number of events
 * Source: spec/cascade.md 7.3 "Copied columns" */
export async function copyEventsToQueue(
  source: Database,
  eventQuery: string,
  target: Database,
  queueName: string,
): Promise<bigint> {
  await enterReplicaRole(target);
  const table = await currentEventTable(target, queueName);
  const { rows } = await pipeCopy(
    source,
    `copy (select ${copiedColumns} from (${eventQuery}) as batch) to stdout`,
    target,
    `copy ${table} (${copiedColumns}) from stdin`,
  );
  return rows;
}

/** A branch queue refuses inserts except in replication role replica; nothing is set where that is the role already, since
 * setting it takes a privilege. */
async function enterReplicaRole(target: Database): Promise<void> {
  await target.query(
    `select set_config('session_replication_role', 'replica', true)
      where current_setting('session_replication_role') <> 'replica'`,
  );
}
