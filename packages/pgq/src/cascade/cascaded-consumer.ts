import type { ConfigKey, Job, Program, StartupSwitch } from "@skytools/skytools";
import { configuredConsumer, configuredQueue } from "../consumer/configured.ts";
import { cascadeConfig } from "./cascade-config.ts";
import type { CascadedApplication } from "./cascaded-application.ts";
import { cascadedWorker } from "./cascaded-worker.ts";
import type { CascadedWorkerOptions } from "./cascaded-worker-options.ts";
import { registerOnProvider, unregisterFromProvider } from "./consumer-registration.ts";
import { repositionSwitches } from "./reposition.ts";

/** A daemon that reads a cascaded queue and writes to a database that has a node of it, beside the node's worker. */
export interface CascadedConsumerProgram
  extends Pick<Program, "service" | "version" | "summary" | "sectionAliases"> {
  /** what it does with batches; `eventByEvent` makes one from an event callback */
  readonly application: (job: Job) => CascadedApplication;
  /** config key of the local database's connect string; default dst_db */
  readonly targetKey?: string;
  /** keys of the program's own, shown first */
  readonly keys?: readonly ConfigKey[];
}

/** Makes the program of a plain cascaded consumer, for `runProgram`: --register with --provider, --unregister, --rewind and
 * --reset. Its provider is data in the local database, so that change-provider moves it without a new configuration; pause and
 * resume hold it. `pgq.*` events are left to the node's worker.
 * Source: spec/cascade.md 7.7 */
export function cascadedConsumerProgram(definition: CascadedConsumerProgram): Program {
  const { application, targetKey = "dst_db", keys = [], ...program } = definition;
  const optionsOf = (job: Job): CascadedWorkerOptions => ({
    targetKey,
    queueName: configuredQueue(job.config),
    consumerName: configuredConsumer(job.config, job.name),
    isNodeWorker: false,
  });
  const databaseKey: ConfigKey = {
    key: targetKey,
    type: "connstr",
    required: true,
    example: "dbname=target",
    doc: "database that has the node and gets the results",
  };
  const ownKeys = keys.some(({ key }) => key === targetKey) ? keys : [databaseKey, ...keys];
  return {
    ...program,
    config: [{ title: definition.service, keys: ownKeys }, cascadeConfig],
    switches: [
      { flags: "--provider <connstr>", doc: "with --register: connect string of the node to read from" },
    ],
    startupSwitches: [...registrationSwitches(optionsOf), ...repositionSwitches(optionsOf)],
    defaultLoop: (job) => cascadedWorker(job, application(job), optionsOf(job)),
  };
}

function registrationSwitches(optionsOf: (job: Job) => CascadedWorkerOptions): StartupSwitch[] {
  return [
    {
      flags: "--register",
      doc: "register the consumer on the provider and in the local database, then end",
      run: (job) => registerOnProvider(job, optionsOf(job), job.option("provider")),
    },
    {
      flags: "--unregister",
      doc: "remove the consumer from the provider and from the local database, then end",
      run: (job) => unregisterFromProvider(job, optionsOf(job)),
    },
  ];
}
