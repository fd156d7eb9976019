import type { Config, ConfigError, ConfigGroup } from "@skytools/skytools";
import { splitWords } from "./split-words.ts";

/** A kind of job: how its program is started. */
export interface Service {
  readonly name: string;
  /** program and its first arguments */
  readonly command: readonly string[];
  readonly workingDirectory: string;
  /** what follows the configuration file */
  readonly args: readonly string[];
  readonly isDisabled: boolean;
  /** undefined: the user who calls */
  readonly user: string | undefined;
}

const serviceKeys: ConfigGroup = {
  title: "a service",
  keys: [
    { key: "script", type: "string", default: "", doc: "program" },
    { key: "cwd", type: "file", default: "", doc: "working directory, and base of relative pidfiles" },
    { key: "args", type: "string", default: "", doc: "arguments after the configuration file" },
    { key: "disabled", type: "boolean", default: "0", doc: "never start, stop or reload" },
    { key: "user", type: "string", default: "", doc: "run as this user" },
  ],
};

/** The services that scriptmgr's file describes, by name: every section but its own.
 * @throws ConfigError for the first mistake
 * Source: spec/scripts.md 1.1 */
export function readServices(config: Config): Map<string, Service> {
  const names = config.sections().filter((name) => name !== config.section);
  return new Map(names.map((name) => [name, readService(config, name)]));
}

function readService(config: Config, name: string): Service {
  const section = config.openSection(name, { groups: [serviceKeys] });
  const [mistake] = section.findings().errors;
  if (mistake !== undefined) throw mistake;
  const isDisabled = section.getBoolean("disabled");
  for (const key of ["script", "cwd"]) {
    if (!isDisabled && section.get(key) === "") throw section.error(key, "required key is not set");
  }
  const command = words(section, "script");
  if (/^\w+=/.test(command[0] ?? "")) {
    throw section.error(
      "script",
      `${command[0]} is no program, and no shell reads this`,
      `Write env ${command[0]} PROGRAM.`,
    );
  }
  return {
    name,
    command,
    workingDirectory: section.getFile("cwd"),
    args: words(section, "args"),
    isDisabled,
    user: section.get("user") || undefined,
  };
}

function words(section: Config, key: string): string[] {
  const found = splitWords(section.get(key));
  if (found !== undefined) return found;
  const error: ConfigError = section.error(key, "has a quote without its end");
  throw error;
}
