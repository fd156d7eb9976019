import type { Job, Switch } from "@skytools/skytools";

/** Of every command, also by its name of old: peers pass it on. */
export const dryRunSwitches: readonly Switch[] = [
  { flags: "--dry-run", doc: "print the steps without doing them" },
  { flags: "-n, --not-really", doc: "the same as --dry-run" },
];

export function isDryRun(job: Job): boolean {
  return job.isDryRun || job.flag("notReally");
}

/** For a command whose steps are few: prints them in a dry run.
 * @returns true when it was one */
export function isOnlyTold(job: Job, ...steps: readonly string[]): boolean {
  if (!isDryRun(job)) return false;
  for (const step of steps) job.stdout.write(`${step}\n`);
  return true;
}
