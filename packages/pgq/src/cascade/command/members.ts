import type { CascadeAdmin } from "../cascade-admin.ts";
import { membersOf, openLocal, requireLocalNode } from "../node-connection.ts";
import type { NodeLocation } from "../node-info.ts";

/** What the local node knows about the set. */
export interface Members {
  readonly nodeName: string;
  readonly queueName: string;
  /** by name */
  readonly members: readonly NodeLocation[];
}

/** Lists the members of the set as the local node knows them.
 * @throws UsageError when there is no local node */
export async function listMembers(admin: CascadeAdmin): Promise<Members> {
  const local = await openLocal(admin);
  const node = await requireLocalNode(admin, local);
  return {
    nodeName: node.nodeName,
    queueName: admin.queueName,
    members: await membersOf(local, admin.queueName),
  };
}
