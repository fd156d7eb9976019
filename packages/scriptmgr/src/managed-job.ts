import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { Config, type ConfigGroup, expandHome } from "@skytools/skytools";
import type { Service } from "./service.ts";

/** One daemon: a section of a configuration file. */
export interface ManagedJob {
  readonly name: string;
  readonly service: Service;
  /** absolute */
  readonly configFile: string;
  /** undefined: none is configured, so nobody can tell whether it runs */
  readonly pidfile: string | undefined;
  readonly logfile: string | undefined;
  readonly isDisabled: boolean;
}

const jobKeys: ConfigGroup = {
  title: "a job",
  keys: [
    { key: "pidfile", type: "string", default: "", doc: "pidfile" },
    { key: "logfile", type: "string", default: "", doc: "log file" },
    { key: "disabled", type: "boolean", default: "0", doc: "never start, stop or reload" },
  ],
};

/** Reads the job that a file has for a service.
 * @throws ConfigError */
export function readJob(file: string, service: Service): ManagedJob {
  const config = Config.load(file, service.name, { groups: [jobKeys] });
  return {
    name: config.get("job_name"),
    service,
    configFile: resolve(file),
    pidfile: jobPath(config.get("pidfile"), service),
    logfile: jobPath(config.get("logfile"), service),
    isDisabled: service.isDisabled || config.getBoolean("disabled"),
  };
}

/** A path as the job's program understands it: `~` is the home of its user, relative ones begin in its working directory. */
function jobPath(path: string, { user, workingDirectory }: Service): string | undefined {
  if (path === "") return undefined;
  const home = user === undefined ? homedir() : expandHome(`~${user}`);
  const full = /^~(\/|$)/.test(path) ? home + path.slice(1) : expandHome(path);
  return isAbsolute(full) ? full : resolve(join(workingDirectory, full));
}
