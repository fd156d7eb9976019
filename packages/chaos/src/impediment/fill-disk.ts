import type { Disturbance } from "../disturbance.ts";

export const fillDisk: Disturbance = {
  name: "disk full",
  weight: 1,
  draw: (random) => {
    const milliseconds = random.int(1000, 6000);
    return {
      detail: `${milliseconds} ms`,
      run: async (stage) => {
        stage.smallDisk?.fill();
        await stage.pause(milliseconds);
        stage.smallDisk?.empty();
      },
    };
  },
};
