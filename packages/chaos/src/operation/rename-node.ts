import { nodeKeys } from "../cascade-model.ts";
import type { Disturbance } from "../disturbance.ts";
import { drawCommandKill, killText } from "./command-kill.ts";

export const renameNode: Disturbance = {
  name: "rename-node",
  weight: 1,
  draw: (random, model) => {
    const [key, on] = [random.pick(nodeKeys), random.pick(nodeKeys)];
    const [former, name] = [model.name(key), model.rename(key)];
    const killAfterMs = drawCommandKill(random);
    return {
      detail: `${former} to ${name}, run on ${on}${killText(killAfterMs)}`,
      run: async (stage) => {
        await stage.londiste(on, ["rename-node", former, name], killAfterMs);
      },
    };
  },
};
