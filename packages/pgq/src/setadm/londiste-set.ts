import { type Command, type Job, UsageError } from "@skytools/skytools";

/** Commands that Londiste adds checks or work of its own to, with the switch that says that they are not wanted. */
const withLondistesPart: ReadonlyMap<string, string | undefined> = new Map([
  ["takeover", "force"],
  ["rename-node", undefined],
]);

/** A set that replicates tables is led with londiste3: that looks whether the tables of a new root are in order, and rewrites what
 * it has stored about a node that gets another name. Other commands do the same in both programs.
 * @param queueOf the set's queue */
export function leaveToLondiste(command: Command, queueOf: (job: Job) => string): Command {
  const { name, run } = command;
  if (run === undefined || !withLondistesPart.has(name)) return command;
  const insistence = withLondistesPart.get(name);
  return {
    ...command,
    run: async (job) => {
      if (insistence === undefined || !job.flag(insistence)) await refuseTables(job, name, queueOf(job));
      await run(job);
    },
  };
}

/** @throws UsageError */
async function refuseTables(job: Job, command: string, queueName: string): Promise<void> {
  const db = await job.databases.get("node_db");
  const hasLondiste = await db.queryValue<boolean>("select to_regclass('londiste.table_info') is not null");
  const tables =
    hasLondiste === true
      ? await db.queryValue<bigint>("select count(*) from londiste.table_info where queue_name = $1", [
          queueName,
        ])
      : 0n;
  await db.commit();
  if (tables === undefined || tables === 0n) return;
  throw new UsageError(
    `queue "${queueName}" replicates ${tables} tables with Londiste on ${db.label}: ${command} has to look at them`,
    {
      hint: `Run it with Londiste's configuration of this node: londiste3 CONFIG ${[command, ...job.args].join(" ")}`,
    },
  );
}
