import { type Job, UsageError } from "@skytools/skytools";
import { parseLsn } from "../wal/lsn.ts";

/** Where a recovery ends; no entry: at the end of the WAL. */
export interface RecoveryTarget {
  /** settings of the server */
  readonly settings: ReadonlyMap<string, string>;
  /** for messages */
  readonly text: string | undefined;
  readonly lsn: bigint | undefined;
  readonly timeline: string;
}

const kinds = ["time", "lsn", "name", "xid"] as const;

/** Switches of `restore` that name a target. */
export const targetSwitches = [
  { flags: "--target-time <timestamp>", doc: "recover up to this moment" },
  { flags: "--target-lsn <lsn>", doc: "recover up to this WAL position" },
  { flags: "--target-name <name>", doc: "recover up to a point made with pg_create_restore_point" },
  { flags: "--target-xid <xid>", doc: "recover up to the end of this transaction" },
  { flags: "--target-immediate", doc: "recover only until the backup is consistent" },
  { flags: "--timeline <id>", doc: "timeline to recover into: a number, latest or current" },
  { flags: "--target-action <action>", doc: "at the target: promote (default), pause or shutdown" },
];

/** @throws UsageError for more than one target or a bad value
 * Source: PostgreSQL manual, "Recovery Target" */
export function recoveryTarget(job: Job): RecoveryTarget {
  const given = kinds.filter((kind) => job.option(optionName(kind)) !== undefined);
  const isImmediate = job.flag("targetImmediate");
  if (given.length + (isImmediate ? 1 : 0) > 1) throw new UsageError("only one recovery target is possible");
  const kind = given[0];
  const value = kind === undefined ? undefined : job.option(optionName(kind))!;
  if (kind === "xid" && !/^\d+$/.test(value!)) throw new UsageError(`"${value}" is not a transaction id`);
  if (value !== undefined && /[\0\n]/.test(value))
    throw new UsageError(`a recovery target is one line of text`);
  const timeline = job.option("timeline") ?? "latest";
  if (!/^(latest|current|[1-9]\d*)$/.test(timeline)) {
    throw new UsageError(`"${timeline}" is not a timeline: give a number, latest or current`);
  }
  const action = job.option("targetAction") ?? "promote";
  if (!["promote", "pause", "shutdown"].includes(action)) {
    throw new UsageError(`"${action}" is none of promote, pause, shutdown`);
  }
  const settings = new Map([["recovery_target_timeline", timeline]]);
  if (kind !== undefined) settings.set(`recovery_target_${kind}`, value!);
  if (isImmediate) settings.set("recovery_target", "immediate");
  if (kind !== undefined || isImmediate) settings.set("recovery_target_action", action);
  return {
    settings,
    text: isImmediate ? "immediate" : kind === undefined ? undefined : `${kind} ${value}`,
    lsn: kind === "lsn" ? parseLsn(value!) : undefined,
    timeline,
  };
}

function optionName(kind: (typeof kinds)[number]): string {
  return `target${kind[0]!.toUpperCase()}${kind.slice(1)}`;
}
