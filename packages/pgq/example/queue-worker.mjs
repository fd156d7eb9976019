#!/usr/bin/env node
// The worker of a node that has no data of its own and only passes a queue on, with the commands to create and watch it.
//
//   queue-worker.ini:  [queue_worker]
//                      node_db = dbname=relay
//                      queue_name = orders
//
//   ./queue-worker.mjs queue-worker.ini create-branch relay "host=relay dbname=relay" --provider="host=shop dbname=shop"
//   ./queue-worker.mjs queue-worker.ini worker -d

import {
  cascadeCommands,
  cascadeConfig,
  cascadedWorker,
  configuredConsumer,
  configuredQueue,
  queueOnly,
  repositionSwitches,
} from "@skytools/pgq/cascade";
import { runProgram } from "@skytools/skytools";

const targetKey = "node_db";

const nodeOf = (job) => ({
  targetKey,
  queueName: configuredQueue(job.config),
  consumerName: configuredConsumer(job.config, job.name),
  isNodeWorker: true,
});

await runProgram({
  service: "queue_worker",
  version: "1.0",
  summary: "passes a cascaded queue on",
  config: [
    {
      title: "queue_worker",
      keys: [{ key: targetKey, type: "connstr", required: true, doc: "database of the node" }],
    },
    cascadeConfig,
  ],
  switches: [],
  commands: [
    ...cascadeCommands((job) => ({
      job,
      queueName: configuredQueue(job.config),
      databaseKey: targetKey,
      workerName: configuredConsumer(job.config, job.name),
      modules: ["pgq", "pgq_node"],
    })),
    {
      name: "worker",
      args: "",
      summary: "run the node: copy the queue, move watermarks",
      pidfile: "own",
      startupSwitches: repositionSwitches(nodeOf),
      loop: (job) => cascadedWorker(job, queueOnly(), nodeOf(job)),
    },
  ],
});
