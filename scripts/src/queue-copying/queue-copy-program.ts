import { consumerProgram } from "@skytools/pgq";
import { cascadedConsumerProgram } from "@skytools/pgq/cascade";
import {
  type Config,
  type ConfigKey,
  type Job,
  type Program,
  type StartupSwitch,
  skytoolsVersion,
  UsageError,
} from "@skytools/skytools";
import { CascadedCopy } from "./cascaded-copy.ts";
import { plainCopy } from "./plain-copy.ts";
import type { QueueCopier } from "./queue-copier.ts";

/** A program that copies events from queue to queue, as data. */
export interface QueueCopyProgram
  extends Pick<Program, "service" | "sectionAliases" | "summary" | "startupSwitches"> {
  /** keys of the program's own, shown first */
  readonly keys: readonly ConfigKey[];
  readonly copier: (job: Job) => QueueCopier;
}

const sourceKey: ConfigKey = {
  key: "src_db",
  type: "connstr",
  template: "live",
  example: "dbname=source",
  doc: "database of the queue; required unless cascaded = 1",
};

const targetKey: ConfigKey = {
  key: "dst_db",
  type: "connstr",
  required: true,
  example: "dbname=target",
  doc: "database to copy into; with cascaded = 1 the one that has a node of the queue",
};

const cascadedKey: ConfigKey = {
  key: "cascaded",
  type: "boolean",
  default: "0",
  doc: "read a cascaded queue from the provider that the node of dst_db knows, see --provider; change-provider moves it",
};

const isCascaded = (config: Config): boolean => config.getBoolean("cascaded");

/** Makes the program, for `runProgram`. It reads the queue of `src_db`, or, with `cascaded = 1`, a cascaded queue whose provider is data in
 * the target database. What is done with the events is the same.
 * Source: spec/scripts.md sections 2 and 3; spec/cascade.md 7.7 */
export function queueCopyProgram(definition: QueueCopyProgram): Program {
  const { copier, startupSwitches = [], ...about } = definition;
  const keys = [sourceKey, targetKey, cascadedKey, ...definition.keys];
  const shared = { ...about, version: skytoolsVersion, keys };
  const plain = consumerProgram({ ...shared, consumer: plainCopy(copier) });
  const cascaded = cascadedConsumerProgram({
    ...shared,
    application: (job) => new CascadedCopy(job, copier(job)),
  });
  const chosen = (job: Job) => (isCascaded(job.config) ? cascaded : plain);
  return {
    ...plain,
    config: [...plain.config, ...cascaded.config.slice(1)],
    findings: (config) => ({ errors: sourceErrors(config), suspicions: [] }),
    switches: cascaded.switches,
    startupSwitches: [...startupSwitches, ...positionSwitches(plain, chosen)],
    defaultLoop: (job) => chosen(job).defaultLoop!(job),
  };
}

function sourceErrors(config: Config) {
  if (isCascaded(config) || config.getOr("src_db", "") !== "") return [];
  return [config.error("src_db", "required key is not set", `It means: ${sourceKey.doc}.`)];
}

/** The switches that both ways have, each done as the chosen way does it. */
function positionSwitches(plain: Program, chosen: (job: Job) => Program): StartupSwitch[] {
  const switchesOf = (program: Program) => program.startupSwitches ?? [];
  return switchesOf(plain).map((one) => ({
    ...one,
    run: async (job) => {
      if (chosen(job) === plain && job.option("provider") !== undefined) {
        throw new UsageError("--provider goes with cascaded = 1", { hint: "Without it src_db is read." });
      }
      await switchesOf(chosen(job))
        .find(({ flags }) => flags === one.flags)!
        .run(job);
    },
  }));
}
