import type { Command } from "@skytools/skytools";
import { engineOf } from "../engine/engine.ts";
import { startPeriodic } from "../hook/periodic.ts";
import { archiveFile } from "../hook/xarchive.ts";
import { settingsFor } from "../place/settings.ts";

/** Source: spec/walmgr.md 6.1 */
export const xarchiveCommand: Command = {
  name: "xarchive",
  args: "PATH NAME",
  summary: "store a finished WAL file; the server's archive_command calls it",
  pidfile: "none",
  run: async (job) => {
    const settings = settingsFor(job);
    const [path, name] = job.args as [string, string];
    const startedMs = performance.now();
    const engine = engineOf(settings);
    if (engine !== undefined) return engine.archivePush(path);
    const { count, bytes, isRepeat } = await archiveFile(job, settings, path, name);
    if (isRepeat) job.log.info(`${name}: is in the archive already`);
    job.statistics.put("count", count);
    job.statistics.put("bytes", bytes);
    job.statistics.putFloat("duration", (performance.now() - startedMs) / 1000);
    if (settings.role === "primary") await startPeriodic(job, settings);
    return 0;
  },
};
