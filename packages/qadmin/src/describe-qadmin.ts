import { type ProgramDescription, type SwitchDescription, skytoolsVersion } from "@skytools/skytools";
import { consoleCommands } from "./command/command-table.ts";
import { helpTopic } from "./command/show-help.ts";

/** What `--help --json` prints: the same shape as that of the programs of the framework. Its commands are the statements of the
 * console.
 * @param switches flags as commander takes them, and what they do */
export function describeQadmin(
  switches: readonly (readonly [flags: string, doc: string])[],
): ProgramDescription {
  return {
    service: "qadmin",
    sectionAliases: [],
    version: skytoolsVersion,
    summary: "console for queues, cascades and Londiste",
    hasConfigFile: false,
    args: "[dbname | connstring]",
    commonSwitches: [],
    switches: switches.map(([flags, doc]) => describeSwitch(flags, doc)),
    commands: consoleCommands.map((command) => {
      const { syntax, summary } = helpTopic(command);
      return { name: syntax, aliases: [], args: "", summary, switches: [] };
    }),
    config: [],
    helpEnd: "",
  };
}

function describeSwitch(flags: string, doc: string): SwitchDescription {
  const [, short, long = "", argument] = /^(?:-(\w), )?--([\w-]+)(?: <([^>]+)>)?$/.exec(flags) ?? [];
  return {
    long,
    ...(short === undefined ? {} : { short }),
    ...(argument === undefined ? {} : { argument }),
    doc,
    isRepeatable: false,
  };
}
