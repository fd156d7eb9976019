import type { Disturbance } from "../disturbance.ts";
import { drawCommandKill, killText } from "./command-kill.ts";

export const changeProvider: Disturbance = {
  name: "change-provider",
  weight: 3,
  draw: (random, model) => {
    const movable = model.subscribers.filter((key) => model.otherProviders(key).length > 0);
    const key = random.pick(movable);
    const provider = random.pick(model.otherProviders(key));
    const providerName = model.name(provider);
    const killAfterMs = drawCommandKill(random);
    model.changeProvider(key, provider);
    return {
      detail: `of ${key} to ${provider}${killText(killAfterMs)}`,
      run: async (stage) => {
        await stage.londiste(key, ["change-provider", `--provider=${providerName}`], killAfterMs);
      },
    };
  },
};
