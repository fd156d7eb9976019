import { waitFor } from "@skytools/testbed";
import type { Disturbance } from "../disturbance.ts";
import { drawCommandKill, killText } from "./command-kill.ts";

export const switchover: Disturbance = {
  name: "switchover",
  weight: 2,
  draw: (random, model) => {
    const former = model.root;
    const branch = random.pick(model.branches.filter((key) => model.providerOf(key) === former));
    const isForAll = random.chance(0.5);
    const formerName = model.name(former);
    const killAfterMs = drawCommandKill(random);
    model.switchRoot(branch, isForAll);
    return {
      detail: `from ${former} to ${branch}${isForAll ? " with everybody" : ""}${killText(killAfterMs)}`,
      run: async (stage) => {
        await stage.londiste(branch, ["wait-sync", "--timeout=50"]);
        let limitMs = killAfterMs;
        // A node whose server is down meanwhile is left out, with a warning to run it again.
        await waitFor(
          `everybody to follow ${branch}`,
          async () => {
            const limit = limitMs;
            limitMs = undefined;
            const more = isForAll ? ["--all"] : [];
            const stdout = await stage.londiste(branch, ["takeover", formerName, ...more, "--json"], limit);
            return (JSON.parse(stdout) as { leftOut: string[] }).leftOut.length === 0;
          },
          { timeoutMs: 600_000, intervalMs: 1000 },
        );
      },
    };
  },
};
