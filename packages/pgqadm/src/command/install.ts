import { type Command, dryRunSwitch, UsageError } from "@skytools/skytools";
import { installModules, type ModuleName, moduleCatalog } from "@skytools/sql";

export const installCommand: Command = {
  name: "install",
  args: "[MODULE...]",
  summary: "install PgQ or other SQL modules into the database, or bring them up to date",
  pidfile: "none",
  switches: [dryRunSwitch],
  async run(job) {
    const names = await knownModules(job.args.length === 0 ? ["pgq"] : job.args);
    if (job.isDryRun) {
      for (const name of names) job.stdout.write(`install module ${name}\n`);
      return;
    }
    await installModules(await job.databases.get("db"), names, job.log);
  },
};

/** @throws UsageError for a name that is none of a module */
async function knownModules(words: readonly string[]): Promise<ModuleName[]> {
  const known = (await moduleCatalog()).map(({ name }) => name);
  return words.map((word) => {
    const name = known.find((each) => each === word);
    if (name !== undefined) return name;
    throw new UsageError(`there is no module ${word}`, { hint: `Modules are ${known.join(", ")}.` });
  });
}
