import { type Job, UsageError } from "@skytools/skytools";
import { findJobs, type JobCatalog } from "./job-catalog.ts";
import type { ManagedJob } from "./managed-job.ts";

/** The jobs that a command line asks for. */
export interface Selection {
  readonly jobs: readonly ManagedJob[];
  /** names, broken files and the like that made the outcome incomplete; they have been logged */
  readonly problemCount: number;
  readonly catalog: JobCatalog;
}

/** Finds the jobs that are named, or those of `--type`, or all. Logs what is wrong.
 * @param isAllByDefault without names and switches all are meant
 * @throws UsageError when nothing is named */
export function selectJobs(job: Job, isAllByDefault: boolean): Selection {
  const catalog = findJobs(job.config, job.env);
  for (const file of catalog.strangers) job.log.warn(`${file}: no section of a known service, ignored`);
  for (const { message, hint } of catalog.problems)
    job.log.error(message, hint === undefined ? {} : { hint });
  const type = job.option("type");
  if (job.args.length > 0) {
    const unknown = job.args.filter((name) => catalog.jobs.every((each) => each.name !== name));
    for (const name of unknown) job.log.error(`Unknown job: ${name}`);
    const jobs = catalog.jobs.filter((each) => job.args.includes(each.name));
    return { jobs, problemCount: unknown.length, catalog };
  }
  const problemCount = catalog.problems.length;
  if (job.flag("all")) return { jobs: catalog.jobs, problemCount, catalog };
  if (type !== undefined) {
    const jobs = catalog.jobs.filter((each) => each.service.name === type);
    if (jobs.length === 0) job.log.error(`No job of service ${type}`);
    return { jobs, problemCount: problemCount + (jobs.length === 0 ? 1 : 0), catalog };
  }
  if (isAllByDefault) return { jobs: catalog.jobs, problemCount, catalog };
  throw new UsageError("no jobs given", { hint: "Name jobs, or give -t SERVICE or -a." });
}

/** `--timeout` in milliseconds. @throws UsageError */
export function timeoutMs(job: Job): number {
  return numberOf(job, "timeout") * 1000;
}

/** Handles jobs, as many at once as `--parallel` says. @returns the results, in the order of their coming
 * @throws UsageError */
export async function forEachJob<T>(
  job: Job,
  jobs: readonly ManagedJob[],
  body: (managed: ManagedJob) => Promise<T>,
): Promise<T[]> {
  const width = Math.max(1, Math.floor(numberOf(job, "parallel")));
  const results: T[] = [];
  const queue = jobs.values();
  const worker = async () => {
    for (const managed of queue) results.push(await body(managed));
  };
  await Promise.all(Array.from({ length: Math.min(width, jobs.length) }, worker));
  return results;
}

function numberOf(job: Job, name: string): number {
  const text = job.option(name) ?? "";
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value >= 0) return value;
  throw new UsageError(`--${name} wants a number, got "${text}"`, { exitCode: 2 });
}
