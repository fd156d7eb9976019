import type { Program, Switch } from "./program.ts";

const commonSwitches: readonly Switch[] = [
  { flags: "-h, --help", doc: "show this help and exit" },
  { flags: "-q, --quiet", doc: "log only warnings and errors" },
  { flags: "-v, --verbose", doc: "log more; twice: log everything" },
  { flags: "-d, --daemon", doc: "go to the background" },
  { flags: "-V, --version", doc: "show the version and exit" },
  { flags: "--ini", doc: "show a sample configuration file and exit" },
  { flags: "--set <param=value>", doc: "override a configuration value", repeatable: true },
  { flags: "--check", doc: "check the configuration file, unknown keys too, and exit" },
  { flags: "--json", doc: "print results as JSON; with --help, a description of the program" },
  { flags: "-r, --reload", doc: "let the running process read its configuration again" },
  { flags: "-s, --stop", doc: "stop the running process after its current round" },
  { flags: "-k, --kill", doc: "stop the running process at once" },
];

const withoutFile = ["-h, --help", "-q, --quiet", "-v, --verbose", "-V, --version", "--json"];

/** Switches of every program; those that need a configuration file are missing where there is none.
 * Source: spec/framework.md 2.1 */
export function commonSwitchesOf({ hasConfigFile = true }: Program): readonly Switch[] {
  return commonSwitches.filter(({ flags }) => hasConfigFile || withoutFile.includes(flags));
}
