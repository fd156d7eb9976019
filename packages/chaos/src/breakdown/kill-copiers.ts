import { nodeKeys } from "../cascade-model.ts";
import type { Disturbance } from "../disturbance.ts";

/** How long a copier is waited for: most of the time there is none. */
const patienceMs = 3000;

export const killCopiers: Disturbance = {
  name: "copiers killed",
  weight: 3,
  draw: (random) => {
    const isWithWorkers = random.chance(0.3);
    return {
      detail: isWithWorkers ? "with their workers" : "",
      run: async (stage) => {
        const end = performance.now() + patienceMs;
        while (!stage.isEnding && performance.now() < end) {
          const busy = nodeKeys.filter((key) => stage.copiers(key).length > 0);
          if (isWithWorkers) for (const key of busy) await stage.daemons.kill(`worker ${key}`);
          for (const pid of busy.flatMap((key) => stage.copiers(key))) killProcess(pid);
          if (isWithWorkers) for (const key of busy) stage.daemons.start(`worker ${key}`);
          if (busy.length > 0) return;
          await stage.pause(100);
        }
      },
    };
  },
};

function killProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
