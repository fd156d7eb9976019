import { getConsumerInfo, unregisterConsumer } from "@skytools/pgq";
import { getCascadedConsumers, unregisterCascadedConsumer } from "@skytools/pgq/cascade";
import type { Database, Log } from "@skytools/skytools";
import type { ReplicatedTable } from "../londiste-api.ts";
import { copyConsumerPrefix } from "../names.ts";
import { needsCopyProcess } from "./table-state.ts";

/** Removes the consumers of copy processes that have ended without doing so: on the provider such a consumer would hold back
 * the rotation of the queue forever.
 * @param running tables whose copy process is alive */
export async function removeLeftoverCopies(
  source: Database,
  target: Database,
  log: Log,
  queueName: string,
  workerName: string,
  tables: readonly ReplicatedTable[],
  running: ReadonlySet<string>,
): Promise<void> {
  const prefix = copyConsumerPrefix(workerName);
  const needed = new Set(
    tables
      .filter((table) => table.isLocal && needsCopyProcess(table.state))
      .map((table) => prefix + table.name),
  );
  for (const name of running) needed.add(prefix + name);
  const isLeftover = (name: string) => name.startsWith(prefix) && !needed.has(name);

  const here = (await getCascadedConsumers(target, queueName)).map((consumer) => consumer.consumerName);
  await target.commit();
  const there = (await getConsumerInfo(source, queueName)).map((consumer) => consumer.consumerName);
  await source.commit();
  for (const name of there.filter(isLeftover)) {
    log.info(`removing consumer "${name}" of an ended copy from ${source.label}`);
    await unregisterConsumer(source, queueName, name);
    await source.commit();
  }
  for (const name of here.filter(isLeftover)) {
    await unregisterCascadedConsumer(target, { log, quiet: true }, queueName, name);
  }
}
