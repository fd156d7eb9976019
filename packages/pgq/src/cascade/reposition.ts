import { type Job, mergeConnectString, SkytoolsError, type StartupSwitch } from "@skytools/skytools";
import { getConsumerInfo, registerConsumerAt } from "../pgq-api.ts";
import type { CascadedWorkerOptions } from "./cascaded-worker-options.ts";
import { type ConsumerPlace, readConsumer } from "./consumer-wait.ts";
import { setConsumerCompleted } from "./pgq-node-api.ts";

/** Where both positions of a consumer are. */
type Reposition = Pick<CascadedWorkerOptions, "targetKey" | "queueName" | "consumerName">;

/** The switches --rewind and --reset of a cascaded worker: they act once and end the program. The worker must not run.
 * Source: spec/cascade.md 7.7 */
export function repositionSwitches(optionsOf: (job: Job) => Reposition): StartupSwitch[] {
  return [
    {
      flags: "--rewind",
      doc: "move the provider's position back to what this node has finished, then end",
      run: (job) => rewindProvider(job, optionsOf(job)),
    },
    {
      flags: "--reset",
      doc: "take over the provider's position, which loses the events in between, then end",
      run: (job) => resetPosition(job, optionsOf(job)),
    },
  ];
}

/** Makes the provider deliver again from what the local node has finished. Loses nothing.
 * @throws DatabaseError when the provider does not hold that tick any more */
export async function rewindProvider(job: Job, options: Reposition): Promise<void> {
  const { queueName, consumerName } = options;
  const { place, provider } = await bothSides(job, options);
  job.log.info("Rewinding queue");
  const state = await readConsumer(place);
  await registerConsumerAt(provider, queueName, consumerName, state.completedTick);
  await provider.commit();
  job.log.info(`consumer "${consumerName}" is at tick ${state.completedTick} on ${provider.label}`);
}

/** Takes over the provider's position: the node will not see the events between. For repairs only.
 * @throws SkytoolsError CASCADE_NODE when the provider does not know the consumer */
export async function resetPosition(job: Job, options: Reposition): Promise<void> {
  const { queueName, consumerName } = options;
  const { place, provider } = await bothSides(job, options);
  job.log.info("Resetting queue tracking on dst side");
  const [position] = await getConsumerInfo(provider, queueName, consumerName);
  await provider.commit();
  if (position?.lastTick == null) {
    throw new SkytoolsError(
      "CASCADE_NODE",
      `No info about consumer, cannot reset: "${consumerName}" is not registered on queue "${queueName}" of ${provider.label}`,
    );
  }
  await setConsumerCompleted(
    place.db,
    { log: job.log, quiet: true },
    queueName,
    consumerName,
    position.lastTick,
  );
  job.log.info(`consumer "${consumerName}" is at tick ${position.lastTick} on ${place.db.label}`);
}

async function bothSides(job: Job, { targetKey, queueName, consumerName }: Reposition) {
  const db = await job.databases.get(targetKey);
  const place: ConsumerPlace = { db, queueName, nodeName: "local", consumerName };
  const state = await readConsumer(place);
  const connstr = mergeConnectString(state.providerLocation, job.config.getOr("remote_extra_connstr", ""));
  return { place, provider: await job.databases.get("_provider_db", { connstr }) };
}
