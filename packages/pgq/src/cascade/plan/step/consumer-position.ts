import { SkytoolsError } from "@skytools/skytools";
import type { ConsumerState } from "../../node-info.ts";
import { getConsumerState, isRefusal } from "../../pgq-node-api.ts";
import type { ConsumerAt, PlanContext } from "../plan-context.ts";

/** The stored state of a consumer; leaves no transaction open.
 * @throws SkytoolsError CASCADE_NODE */
export async function stateOf(
  { admin }: PlanContext,
  { member, consumerName }: ConsumerAt,
): Promise<ConsumerState> {
  const state = await getConsumerState(member.db, admin.queueName, consumerName);
  await member.db.commit();
  if (!isRefusal(state)) return state;
  throw new SkytoolsError("CASCADE_NODE", `${state.note} (on ${member.db.label})`);
}
