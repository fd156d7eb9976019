import type { ConfigGroup, ConfigKey } from "../config/config-key.ts";
import type { Program } from "./program.ts";
import type { ParsedSwitch, SwitchTable } from "./switch-table.ts";

/** A program as data, without its code: what `--help --json` prints. Manual pages and completions are made of it. */
export interface ProgramDescription {
  readonly service: string;
  readonly sectionAliases: readonly string[];
  readonly version: string;
  readonly summary: string;
  /** false: the program has no configuration file */
  readonly hasConfigFile: boolean;
  /** operands after the configuration file, for a program without commands */
  readonly args: string;
  /** of every program */
  readonly commonSwitches: readonly SwitchDescription[];
  /** of every command of this program */
  readonly switches: readonly SwitchDescription[];
  /** absent in a program without commands; hidden ones are left out */
  readonly commands?: readonly CommandDescription[];
  readonly config: readonly ConfigGroupDescription[];
  /** what stands at the end of --help, or "" */
  readonly helpEnd: string;
}

/** One command of a program. */
export interface CommandDescription {
  readonly name: string;
  readonly aliases: readonly string[];
  /** operands: `<NAME> [CONNSTR]`, `[TABLE...]` */
  readonly args: string;
  readonly summary: string;
  readonly switches: readonly SwitchDescription[];
}

/** One switch. */
export interface SwitchDescription {
  /** without dashes; "" where there is only a letter */
  readonly long: string;
  /** one letter */
  readonly short?: string;
  /** name of its argument; absent when it takes none */
  readonly argument?: string;
  readonly doc: string;
  readonly default?: string;
  readonly isRepeatable: boolean;
}

/** Keys of the configuration file under one heading; those that no file should contain are left out. */
export interface ConfigGroupDescription {
  readonly title: string;
  readonly keys: readonly ConfigKey[];
  /** regular expression of further names that are accepted */
  readonly openKeys?: string;
}

/** @param config the program's groups and those of the framework, in the order of `--ini` */
export function describeProgram(
  program: Program,
  table: SwitchTable,
  config: readonly ConfigGroup[],
): ProgramDescription {
  const {
    service,
    version,
    summary,
    args = "",
    helpEnd = "",
    sectionAliases = [],
    hasConfigFile = true,
  } = program;
  const visible = program.commands?.filter((command) => !command.hidden);
  const commands = visible?.map((command) => ({
    name: command.name,
    aliases: command.aliases ?? [],
    args: command.args,
    summary: command.summary,
    switches: table
      .ofCommand(command)
      .filter((each) => !table.shared.some((shared) => shared.long === each.long))
      .map(describeSwitch),
  }));
  return {
    service,
    sectionAliases,
    version,
    summary,
    hasConfigFile,
    args,
    commonSwitches: table.common.map(describeSwitch),
    switches: table.shared.map(describeSwitch),
    ...(commands === undefined ? {} : { commands }),
    config: (hasConfigFile ? config : []).map(({ title, keys, openKeys }) => ({
      title,
      keys: keys.filter((key) => key.template !== "hidden"),
      ...(openKeys === undefined ? {} : { openKeys: openKeys.source }),
    })),
    helpEnd,
  };
}

function describeSwitch({
  definition,
  long,
  short,
  argument,
  isRepeatable,
}: ParsedSwitch): SwitchDescription {
  return {
    long,
    ...(short === undefined ? {} : { short }),
    ...(argument === undefined ? {} : { argument }),
    doc: definition.doc,
    ...(typeof definition.default === "string" ? { default: definition.default } : {}),
    isRepeatable,
  };
}
