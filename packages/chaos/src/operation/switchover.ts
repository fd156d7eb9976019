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
        const more = isForAll ? ["--all"] : [];
        await stage.londiste(branch, ["takeover", formerName, ...more], killAfterMs);
      },
    };
  },
};
