import {
  type Database,
  DatabaseError,
  type Job,
  mergeConnectString,
  SkytoolsError,
} from "@skytools/skytools";
import { commitDurably } from "../durable-commits.ts";
import type { CascadedApplication } from "./cascaded-application.ts";
import type { ConsumerState, NodeInfo } from "./node-info.ts";
import { getConsumerState, isRefusal, type Refusal } from "./pgq-node-api.ts";

const providerKey = "_provider_db";

/** SQLSTATE invalid_schema_name */
const missingSchema = "3F000";

/** Which consumer of which local database. */
export interface ConsumerName {
  /** config key of the local database */
  readonly targetKey: string;
  readonly queueName: string;
  readonly consumerName: string;
}

/** Connects to the local database as the application wants it. Its commits wait for the disk: the provider is told afterwards that the
 * batch is done, and gives it once only. */
export async function openTarget(
  job: Job,
  application: CascadedApplication,
  targetKey: string,
): Promise<Database> {
  return job.databases.get(targetKey, {
    onConnect: async (target) => {
      await commitDurably(target);
      await application.connectTarget?.(target);
    },
  });
}

/** Connects to the provider that the local node names; a changed location ends the former connection. Opening a batch is a commit: all
 * that it holds is then safe there before it is applied here. */
export async function openSource(
  job: Job,
  application: CascadedApplication,
  state: ConsumerState,
): Promise<Database> {
  return job.databases.get(providerKey, {
    connstr: mergeConnectString(state.providerLocation, job.config.getOr("remote_extra_connstr", "")),
    onConnect: async (source) => {
      await commitDurably(source);
      await application.connectSource?.(source);
    },
  });
}

/** Opens the local database and reads where the consumer stands; leaves no transaction open.
 * @throws SkytoolsError CASCADE_NODE when the database has no node, or not even the schemas of one */
export async function openNode(
  job: Job,
  application: CascadedApplication,
  { targetKey, queueName, consumerName }: ConsumerName,
): Promise<{ target: Database; state: ConsumerState }> {
  try {
    const target = await openTarget(job, application, targetKey);
    const answer = await target.autocommitted(() => getConsumerState(target, queueName, consumerName));
    return { target, state: known(answer, target) };
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.sqlState !== missingSchema) throw error;
    throw notANode(queueName, error.database ?? "the local database", error);
  }
}

/** @throws SkytoolsError CASCADE_NODE (retried by a daemon) when the node does not know the consumer */
export function known(answer: ConsumerState | Refusal, target: Database): ConsumerState {
  if (!isRefusal(answer)) return answer;
  throw new SkytoolsError("CASCADE_NODE", `${answer.note} (on ${target.label})`, {
    retry: "later",
    hint: "Create the node first, and run the worker under the name that it was created with.",
  });
}

/** True when there is no place to store a failure. */
export function isWithoutNode(error: unknown): boolean {
  return error instanceof SkytoolsError && error.code === "CASCADE_NODE";
}

export function notANode(queueName: string, database: string, cause?: unknown): SkytoolsError {
  return new SkytoolsError("CASCADE_NODE", `Unknown queue: ${queueName} (on ${database})`, {
    retry: "later",
    cause,
    hint: "Create the node first: create-root, create-branch or create-leaf.",
  });
}

/** @throws SkytoolsError CASCADE_NODE when the node belongs to a worker of another name */
export function checkWorkerName(node: NodeInfo, consumerName: string): void {
  if (node.workerName === consumerName) return;
  throw new SkytoolsError(
    "CASCADE_NODE",
    `node "${node.nodeName}" of queue "${node.queueName}" is maintained by worker "${node.workerName}", not by "${consumerName}"`,
    { retry: "later", hint: "Set consumer_name (or job_name) to the name that the node was created with." },
  );
}

/** A leaf that was made to feed a combined queue must not go on as if it were a plain one when that queue's node is gone.
 * @throws SkytoolsError CASCADE_NODE */
export async function checkCombinedQueue(target: Database, node: NodeInfo): Promise<void> {
  const stored = await target.queryValue<string | null>(
    "select combined_queue from pgq_node.node_info where queue_name = $1",
    [node.queueName],
  );
  await target.commit();
  if (stored == null) return;
  throw new SkytoolsError(
    "CASCADE_NODE",
    `combined queue "${stored}" has no node on ${target.label}, and node "${node.nodeName}" of queue "${node.queueName}" feeds it`,
    { retry: "later", hint: "Create the combined queue's node again, or drop this leaf." },
  );
}
