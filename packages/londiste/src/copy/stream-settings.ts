import type { Config, Job } from "@skytools/skytools";
import { openSourceSession, openTargetSession } from "../replication-session.ts";
import { globPattern } from "../table/select-names.ts";
import type { StreamSettings } from "./table-copy.ts";

const poolSize = (config: Config) => config.getInt("threaded_copy_pool_size");
const keysOf = (nr: number) => ({ source: `copy_source.${nr}`, target: `copy_target.${nr}` });

/** What the configuration says about copying a table over several connections.
 * @param name set-wide name
 * @param connstr of the node that is copied from */
export function copyStreams(job: Job, name: string, connstr: string): StreamSettings {
  const { config, databases, log } = job;
  const isNamed = config.getList("threaded_copy_tables").some((glob) => globPattern(glob).test(name));
  return {
    count: poolSize(config),
    minBytes: isNamed ? 0n : BigInt(config.getBytes("threaded_copy_min_size")),
    open: async (nr) => {
      const keys = keysOf(nr);
      return {
        source: await databases.get(keys.source, {
          connstr,
          isolation: "repeatable read",
          onConnect: openSourceSession,
        }),
        target: await databases.get(keys.target, {
          connstr: config.get("db"),
          onConnect: (target) => openTargetSession(target, log),
        }),
      };
    },
  };
}

/** The sessions that streams may have left open. */
export function streamKeys({ config }: Job): string[] {
  return Array.from({ length: poolSize(config) }, (_, nr) => Object.values(keysOf(nr + 1))).flat();
}
