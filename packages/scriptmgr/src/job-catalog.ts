import { type Config, ConfigError, type IniFile, readIniFile, type SkytoolsError } from "@skytools/skytools";
import { filesOfPattern } from "./file-pattern.ts";
import { type ManagedJob, readJob } from "./managed-job.ts";
import { readServices, type Service } from "./service.ts";

/** What the configuration files say. */
export interface JobCatalog {
  /** by service and name */
  readonly jobs: readonly ManagedJob[];
  /** files and jobs that cannot be used */
  readonly problems: readonly SkytoolsError[];
  /** files without a known service */
  readonly strangers: readonly string[];
}

/** Finds all jobs. What is wrong with one file does not hide the others.
 * @throws ConfigError when scriptmgr's own file is wrong
 * Source: spec/scripts.md 1.2 */
export function findJobs(config: Config, env: NodeJS.ProcessEnv): JobCatalog {
  const services = readServices(config);
  const files = new Set(config.getList("config_list").flatMap((pattern) => filesOfPattern(pattern, env)));
  const found: ManagedJob[] = [];
  const problems: SkytoolsError[] = [];
  const strangers: string[] = [];
  for (const file of files) {
    try {
      const ini = readIniFile(file);
      if (ini.sections.has(config.section)) continue;
      const known = servicesOf(ini, services);
      if (known.length === 0) strangers.push(file);
      for (const service of known) found.push(readJob(file, service));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(error);
    }
  }
  const twins = found.filter((job) => found.some((other) => other !== job && other.name === job.name));
  problems.push(...twins.map(twinProblem));
  const jobs = found.filter((job) => !twins.includes(job)).sort(byServiceAndName);
  return { jobs, problems, strangers };
}

function servicesOf(ini: IniFile, services: ReadonlyMap<string, Service>): Service[] {
  return [...ini.sections.keys()].flatMap((section) => services.get(section) ?? []);
}

function twinProblem(job: ManagedJob): SkytoolsError {
  return new ConfigError(`another job has the name ${job.name} too`, {
    file: job.configFile,
    section: job.service.name,
    key: "job_name",
    hint: "Give each job a name of its own; none of them is touched.",
  });
}

function byServiceAndName(one: ManagedJob, other: ManagedJob): number {
  const [first, second] = [one, other].map((job) => `${job.service.name} ${job.name}`);
  return first! < second! ? -1 : 1;
}
