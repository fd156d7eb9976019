import {
  cascadeConfig,
  cascadedWorker,
  configuredConsumer,
  configuredQueue,
  repositionSwitches,
} from "@skytools/pgq/cascade";
import { type Job, type Program, skytoolsVersion } from "@skytools/skytools";
import { loadBufferKey } from "../loading/loading-key.ts";
import { QueueLoader } from "./queue-loader.ts";
import { tableKeys } from "./table-keys.ts";
import { tableFindings } from "./table-settings.ts";

/** The queue_loader3 program. The node is made with setadm3, `--worker` being the consumer name of this program.
 * Source: spec/scripts.md section 4 */
export const queueLoader: Program = {
  service: "queue_loader3",
  sectionAliases: ["queue_loader"],
  version: skytoolsVersion,
  summary: "runs a node of a cascaded queue and loads row changes into its tables, whole or split by time",
  config: [
    {
      title: "queue_loader3",
      keys: [
        {
          key: "db",
          type: "connstr",
          required: true,
          example: "dbname=target",
          doc: "database of the node, which gets the tables",
        },
        ...tableKeys,
        {
          key: "rename_tables",
          type: "dict",
          default: "",
          doc: "tables that have another name here: old:new",
        },
        loadBufferKey,
      ],
    },
    cascadeConfig,
  ],
  switches: [],
  startupSwitches: repositionSwitches(workerOptions),
  helpEnd:
    "A section named like a table, [public.users], overrides the table settings of the main section for it.",
  findings: tableFindings,
  defaultLoop: (job) => cascadedWorker(job, new QueueLoader(job), workerOptions(job)),
};

function workerOptions(job: Job) {
  return {
    targetKey: "db",
    queueName: configuredQueue(job.config),
    consumerName: configuredConsumer(job.config, job.name),
    isNodeWorker: true,
  };
}
