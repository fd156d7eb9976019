import type { CascadeAdmin, LeafAhead, ReachedNode } from "@skytools/pgq/cascade";
import { type Database, mergeConnectString } from "@skytools/skytools";
import type { AlignedSides } from "../compare/aligned-sides.ts";
import { openSide } from "../compare/open-sides.ts";
import { HandlerRegistry } from "../handler/handler-registry.ts";
import { getTableList, localSetTableAttributes, tableAttributes } from "../londiste-api.ts";
import { countFix, fixesOf, repairTable } from "../repair/repair-table.ts";
import { copyAnew } from "../replay/copy-anew.ts";
import { mergePartners } from "./merge-partners.ts";

/** The tables of a leaf that was ahead when the root died: what they have more is written as statements for the new root, whose
 * triggers then pass it on to everybody; tables that differ are copied from the new root. */
export const leafAhead: LeafAhead = {
  async setAside(admin, leaf, newRoot, write) {
    const { job, queueName } = admin;
    const registry = await HandlerRegistry.load(job.config);
    const source = await openNode(admin, "ahead_root", newRoot);
    const target = await openNode(admin, "ahead_leaf", leaf);
    const tables = await getTableList(leaf.db, queueName);
    await leaf.db.commit();
    const different = new Set<string>();
    let isBegun = false;
    const begin = async () => {
      if (isBegun) return;
      isBegun = true;
      await write(
        `-- What leaf "${leaf.node.nodeName}" has and "${newRoot.node.nodeName}" has not. Look at it, then run it with psql in the
-- database of "${newRoot.node.nodeName}": from there it comes to every node.
-- Where several leafs were ahead, each has a file of its own, and what two of them have is in both: run the file of
-- the leaf that was ahead the farthest, and take from the others only what it does not have.
`,
      );
    };
    for (const { name, isLocal } of tables) {
      if (!isLocal) continue;
      const input = { job, queueName, registry, source, target, table: name, patienceMs: 0 };
      const found = await repairTable(
        { ...input, workerName: leaf.node.workerName, standsStill: true },
        {
          isApplied: false,
          take: async (keys, sides, counts) => {
            for (const fix of await fixesOf(target, source, reversed(sides), keys)) {
              await begin();
              different.add(name);
              await write(`${fix.sql}\n`);
              countFix(counts, fix);
            }
            return 0;
          },
        },
      );
      if (found.kind === "checked") continue;
      job.log.warn(`not looked at on "${leaf.node.nodeName}": ${found.reason}`);
      different.add(name);
    }
    return different;
  },

  async startAnew(leaf, queueName, names, log) {
    const call = { log, quiet: true, commit: false };
    for (const { name, destination, isLocal, attributes } of await getTableList(leaf, queueName)) {
      if (!isLocal || !names.has(name)) continue;
      const { copy_node: _former, ...others } = Object.fromEntries(attributes);
      await localSetTableAttributes(leaf, call, queueName, name, tableAttributes(others));
      await copyAnew(leaf, log, [
        { queueName, name },
        ...(await mergePartners(leaf, queueName, { name, destination })),
      ]);
    }
  },
};

async function openNode({ job }: CascadeAdmin, key: string, { location }: ReachedNode): Promise<Database> {
  const extra = job.config.getOr("remote_extra_connstr", "");
  return openSide({ job }, key, mergeConnectString(location, extra));
}

/** The statements are for the side that is looked at as the source. */
function reversed(sides: AlignedSides): AlignedSides {
  return {
    ...sides,
    source: sides.target,
    target: sides.source,
    sourceShape: sides.targetShape,
    targetShape: sides.sourceShape,
  };
}
