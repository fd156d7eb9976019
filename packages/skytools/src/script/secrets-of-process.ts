import { basename } from "node:path";
import { redactSecrets } from "../log/redact.ts";

/** Environment for a program that is not asked to connect to a database: our own, without the password in it.
 * Source: PostgreSQL manual, "Environment Variables" */
export function environmentWithoutPassword(): NodeJS.ProcessEnv {
  const { PGPASSWORD: _password, ...others } = process.env;
  return others;
}

/** Hides passwords that stand on this process's command line from the list of processes. Until the process has come this far
 * they are there for everybody to see.
 * @param argv the words after the program's name */
export function hideSecretsOfCommandLine(argv: readonly string[]): void {
  const shown = argv.map(redactSecrets);
  if (shown.every((word, nr) => word === argv[nr])) return;
  process.title = [basename(process.argv[1] ?? ""), ...shown].join(" ");
}
