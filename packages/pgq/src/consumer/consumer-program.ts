import type {
  Command,
  ConfigGroup,
  ConfigKey,
  Job,
  Program,
  StartupSwitch,
  Switch,
} from "@skytools/skytools";
import type { PgqEvent } from "../event.ts";
import type { BaseConsumer, ConsumerDatabases } from "./base-consumer.ts";
import { consumerKeys } from "./consumer-config.ts";

/** What runs a consumer: a class that extends one of this library's. */
export interface ConsumerClass {
  new (job: Job, databases: ConsumerDatabases): BaseConsumer<PgqEvent>;
  readonly prototype: object;
  readonly ownKeys: readonly ConfigKey[];
  readonly hasTarget: boolean;
}

/** A daemon around a consumer class, as data. */
export interface ConsumerProgram
  extends Pick<Program, "service" | "version" | "summary" | "sectionAliases" | "args" | "findings"> {
  readonly consumer: ConsumerClass;
  /** config key of the source's connect string; default src_db */
  readonly sourceKey?: string;
  /** config key of the target's connect string, for classes that have a target; default dst_db */
  readonly targetKey?: string;
  /** keys of the program's own, shown first */
  readonly keys?: readonly ConfigKey[];
  readonly switches?: readonly Switch[];
  /** further switches that act once, such as --register */
  readonly startupSwitches?: readonly StartupSwitch[];
  readonly commands?: readonly Command[];
}

/** Makes the program of a consumer class, for `runProgram`: configuration keys, --register, --unregister and, where the
 * position is tracked outside of the queue, --rewind and --reset.
 * Source: spec/pgq-library.md A2, A3 */
export function consumerProgram(definition: ConsumerProgram): Program {
  const { consumer: Consumer, sourceKey = "src_db", targetKey = "dst_db", ...program } = definition;
  const create = (job: Job) => new Consumer(job, { sourceKey, targetKey });
  const config: ConfigGroup[] = [
    { title: definition.service, keys: [...databaseKeys(definition), ...(definition.keys ?? [])] },
    { title: "consumer", keys: [...Consumer.ownKeys, ...consumerKeys] },
  ];
  return {
    ...program,
    config,
    switches: definition.switches ?? [],
    startupSwitches: [...(definition.startupSwitches ?? []), ...positionSwitches(Consumer, create)],
    defaultLoop: create,
  };
}

function databaseKeys({
  consumer,
  sourceKey = "src_db",
  targetKey = "dst_db",
  keys = [],
}: ConsumerProgram): ConfigKey[] {
  const all: ConfigKey[] = [
    {
      key: sourceKey,
      type: "connstr",
      required: true,
      example: "dbname=source",
      doc: "database of the queue",
    },
  ];
  if (consumer.hasTarget) {
    const doc = "database to work on";
    all.push({ key: targetKey, type: "connstr", required: true, example: "dbname=target", doc });
  }
  return all.filter(({ key }) => keys.every((own) => own.key !== key));
}

function positionSwitches(
  Consumer: ConsumerClass,
  create: (job: Job) => BaseConsumer<PgqEvent>,
): StartupSwitch[] {
  const switches: StartupSwitch[] = [];
  if ("rewindPosition" in Consumer.prototype) {
    switches.push({
      flags: "--rewind",
      doc: "move the queue's position back to the tracked one, then end",
      run: async (job) => create(job).rewindPosition?.(),
    });
  }
  if ("resetPosition" in Consumer.prototype) {
    switches.push({
      flags: "--reset",
      doc: "forget the tracked position, then end",
      run: async (job) => create(job).resetPosition?.(),
    });
  }
  switches.push(
    {
      flags: "--register",
      doc: "register the consumer on the queue, then end",
      run: (job) => create(job).register(),
    },
    {
      flags: "--unregister",
      doc: "remove the consumer from the queue, then end",
      run: (job) => create(job).unregister(),
    },
  );
  return switches;
}
