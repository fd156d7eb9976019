import { SkytoolsError, UsageError } from "@skytools/skytools";
import { checkSameDatabase, locationWarnings } from "../location-check.ts";
import type { Finding, Plan } from "./plan.ts";
import { silentFindings } from "./plan-checks.ts";
import type { PlanContext } from "./plan-context.ts";
import { isLive, type LiveMember, readMember, type SetState } from "./set-state.ts";
import { locate } from "./step/locate.ts";

/** Where a node is reached from now on. */
export interface Relocation {
  readonly nodeName: string;
  /** connect string */
  readonly location: string;
  /** false: it cannot be reached from here, the administrator vouches for it */
  readonly isChecked: boolean;
}

/** Stores the new connect string of a node on every member, the node itself included; the root's event tells those that do not
 * answer. Workers see it in their next round and connect anew. Source: spec/cascade.md 13 item 14
 * @throws UsageError for an unknown node or text that is no connect string */
export async function changeLocationPlan(
  context: PlanContext,
  set: SetState,
  { nodeName, location, isChecked }: Relocation,
): Promise<Plan> {
  if (!set.isKnown(nodeName)) throw new UsageError(`Unknown node: ${nodeName}`, { hint: "See members." });
  const findings: Finding[] = silentFindings(set, nodeName);
  for (const text of locationWarnings(location)) findings.push({ kind: "warning", text });
  const former = set.live.get(nodeName) ?? set.silent.get(nodeName);
  const moved = isChecked
    ? await reach(context, set, { nodeName, location, isDead: former?.isDead ?? false }, findings)
    : set.live.get(nodeName);
  if (moved === undefined && !isChecked) {
    findings.push({
      kind: "warning",
      text: `"${nodeName}" itself cannot be told from here: run the command there too`,
    });
  }
  for (const { nodeName: silent } of set.silent.values()) {
    if (silent === nodeName || !moved?.subscribers.some((subscriber) => subscriber.nodeName === silent))
      continue;
    findings.push({
      kind: "warning",
      text: `"${silent}" reads from "${nodeName}" and cannot be told now: run the command again when it is back`,
    });
  }
  const others = [...set.live.values()].filter((member) => member.nodeName !== nodeName);
  const members = moved === undefined ? others : [moved, ...others];
  const isRoot = (member: LiveMember) => (member.node.nodeType === "root" ? 1 : 0);
  const steps = members
    .toSorted((a, b) => isRoot(a) - isRoot(b))
    .map((member) => locate(context, member, nodeName, location));
  return { title: `change-location of ${nodeName}`, findings, steps, workers: [] };
}

/** Connects to the new place. It must have that node, and be the same database as the old place while that answers.
 * @returns the node there, or undefined with a refusal */
async function reach(
  { admin }: PlanContext,
  set: SetState,
  place: { readonly nodeName: string; readonly location: string; readonly isDead: boolean },
  findings: Finding[],
): Promise<LiveMember | undefined> {
  const hint = "Give the connect string under which other nodes reach it; --nocheck stores it unseen.";
  const refuse = (text: string) => {
    findings.push({ kind: "refusal", text, hint });
  };
  const found = await readMember(admin, place);
  if (!isLive(found)) {
    refuse(`"${place.nodeName}" is not reached there: ${found.failure ?? ""}`);
    return undefined;
  }
  if (found.node.nodeName !== place.nodeName) {
    refuse(`${found.db.label} has node "${found.node.nodeName}", not "${place.nodeName}"`);
    return undefined;
  }
  const former = set.live.get(place.nodeName);
  try {
    if (former !== undefined && former.db !== found.db) await checkSameDatabase(former.db, found.db);
  } catch (error) {
    if (!(error instanceof SkytoolsError) || error.code !== "CASCADE_LOCATION") throw error;
    refuse(
      `"${place.nodeName}" still answers in ${former!.db.label}, and ${found.db.label} is another database`,
    );
  }
  return found;
}
