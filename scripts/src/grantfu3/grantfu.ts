import { type Job, type Program, printJson, UsageError } from "@skytools/skytools";
import { readGrantFile } from "./grant-file.ts";
import { grantLines, revokeLines, type StatementChoice } from "./grant-statements.ts";

/** Prints the GRANT and REVOKE statements that a file of roles, objects and privileges describes. It connects to nothing.
 * Source: spec/scripts.md section 12.1 */
export const grantfu: Program = {
  service: "grantfu3",
  version: "1.0",
  summary: "prints the SQL that grants what a file says",
  hasConfigFile: false,
  args: "<CONF>",
  config: [],
  switches: [
    { flags: "-r, --revoke", doc: "before the grants, revoke everything from all listed roles" },
    { flags: "-R, --only-revoke", doc: "only revoke" },
    {
      flags: "-d, --defaults",
      doc: "also revoke what PostgreSQL grants to PUBLIC by itself, unless the section says what PUBLIC gets",
    },
    { flags: "-D, --only-defaults", doc: "only that" },
    { flags: "-o, --old-defaults", doc: "grant to PUBLIC again what PostgreSQL grants by itself" },
    { flags: "-t, --transaction", doc: "put begin and commit around" },
    { flags: "-v, --version", doc: "show the version and exit" },
  ],
  helpEnd: "Apply the output with: psql -1 -f FILE",
  run,
};

async function run(job: Job): Promise<void> {
  const choice = chosenStatements(job);
  const file = readGrantFile(job.args[0]!);
  const lines = [...revokeLines(file, choice), ...(choice.grants ? grantLines(file) : [])];
  const all = job.flag("transaction") ? ["begin;", ...lines, "", "commit;"] : lines;
  if (job.json)
    printJson(
      job.stdout,
      all.filter((line) => line !== "" && !line.startsWith("--")),
    );
  else job.stdout.write(all.map((line) => `${line}\n`).join(""));
}

function chosenStatements(job: Job): StatementChoice {
  for (const [both, only] of [
    ["revoke", "onlyRevoke"],
    ["defaults", "onlyDefaults"],
  ] as const) {
    if (job.flag(both) && job.flag(only)) {
      const letter = both[0]!;
      throw new UsageError(`-${letter} and -${letter.toUpperCase()} exclude each other`, { exitCode: 2 });
    }
  }
  return {
    revokes: job.flag("revoke") || job.flag("onlyRevoke"),
    revokesDefaults: job.flag("defaults") || job.flag("onlyDefaults"),
    grantsDefaults: job.flag("oldDefaults"),
    grants: !job.flag("onlyRevoke") && !job.flag("onlyDefaults"),
  };
}
