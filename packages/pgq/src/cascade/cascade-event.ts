import type { Database, Log } from "@skytools/skytools";
import { SkytoolsError } from "@skytools/skytools";
import type { PgqEvent } from "../event.ts";
import { describeEvent } from "../event.ts";
import {
  registerLocation,
  setGlobalWatermark,
  setPartitionWatermark,
  unregisterLocation,
} from "./pgq-node-api.ts";
import type { WorkerRole } from "./worker-role.ts";

/** Where cascade events are replayed. */
export interface CascadeEventTarget {
  readonly target: Database;
  readonly queueName: string;
  readonly role: WorkerRole;
  readonly log: Log;
  /** told what upstream has published, where the node does not follow it by itself */
  onGlobalWatermark?(tickId: bigint): void;
}

export function isCascadeEvent(event: PgqEvent): boolean {
  return event.type?.startsWith("pgq.") ?? false;
}

/** Refuses events that were put into the retry queue: their order is lost, and with it the copy on this node.
 * @throws SkytoolsError CASCADE_EVENT */
export function refuseRetriedEvent(event: PgqEvent): void {
  if (event.retry !== null) {
    throw cascadeEventError(`CascadedWorker must not get retry events: ${describeEvent(event)}`);
  }
}

/** The failure for an event that no part of a program handles.
 * Source: spec/cascade.md section 3 */
export function unhandledEvent(queueName: string, event: PgqEvent): SkytoolsError {
  return cascadeEventError(
    `Unhandled event type in queue: ${event.type ?? ""} (queue "${queueName}", event ${event.id})`,
  );
}

/** Replays one `pgq.*` event inside the target's open transaction. Return codes of the functions are logged and not judged:
 * an old event may name a node that is gone.
 * @throws SkytoolsError CASCADE_EVENT for an event that cannot be in this queue
 * Source: spec/cascade.md section 3 */
export async function applyCascadeEvent(where: CascadeEventTarget, event: PgqEvent): Promise<void> {
  if (!where.role.isNodeWorker) return;
  const { target, queueName, role, log } = where;
  const call = { log, isReplay: true };
  if (event.type === "pgq.tick-id") {
    if (event.extra1 === queueName) {
      throw cascadeEventError(`tick-id event for own queue? ${describeEvent(event)}`);
    }
    if (!role.mirrorsTicks) return;
    return setPartitionWatermark(target, call, queueName, event.extra1 ?? "", tickOf(event));
  }
  if (event.extra1 !== queueName) {
    throw cascadeEventError(
      `bad event in queue: ${describeEvent(event)} names queue "${event.extra1 ?? ""}", this is "${queueName}"`,
    );
  }
  switch (event.type ?? "") {
    case "pgq.location-info":
      return registerLocation(target, call, queueName, requiredData(event), event.extra2, isTrue(event));
    case "pgq.unregister-location":
      return unregisterLocation(target, call, queueName, requiredData(event));
    case "pgq.global-watermark":
      if (role.syncWatermark !== null) where.onGlobalWatermark?.(tickOf(event));
      if (!role.followsGlobalWatermark) return;
      return setGlobalWatermark(target, call, queueName, tickOf(event));
    default:
      throw cascadeEventError(`unknown cascade event: ${describeEvent(event)}`);
  }
}

function requiredData(event: PgqEvent): string {
  if (event.data === null) throw cascadeEventError(`bad event in queue: ${describeEvent(event)} has no data`);
  return event.data;
}

function isTrue(event: PgqEvent): boolean {
  return event.extra3 === "true" || event.extra3 === "t";
}

const largestInt8 = 2n ** 63n - 1n;

function tickOf(event: PgqEvent): bigint {
  const data = requiredData(event);
  if (!/^\d{1,19}$/.test(data) || BigInt(data) > largestInt8) {
    throw cascadeEventError(`bad event in queue: ${describeEvent(event)} carries no tick id`);
  }
  return BigInt(data);
}

function cascadeEventError(message: string): SkytoolsError {
  return new SkytoolsError("CASCADE_EVENT", message, { retry: "later" });
}
