import type { ConfigKey, ConfigType, ProgramDescription, SwitchDescription } from "@skytools/skytools";
import { flags } from "./command-line.ts";
import { type SettingDefinition, type SettingType, settingTable } from "./setting-table.ts";

/** What `--help --json` prints: the same shape as that of the programs of the framework. */
export function describePgqd(version: string): ProgramDescription {
  return {
    service: "pgqd",
    sectionAliases: [],
    version,
    summary: "ticks and maintains the PgQ databases of a PostgreSQL instance",
    hasConfigFile: true,
    args: "",
    commonSwitches: [],
    switches: [...flags.map(describeFlag), ...longSwitches],
    config: [{ title: "pgqd", keys: settingTable.map(describeSetting) }],
    helpEnd: "",
  };
}

const longSwitches: readonly SwitchDescription[] = [
  { long: "ini", doc: "show a sample file", isRepeatable: false },
  { long: "check", doc: "look for mistakes in the file, and exit", isRepeatable: false },
];

/** `; also --help` at the end of a flag's text names its long form. */
function describeFlag({ letter, doc }: (typeof flags)[number]): SwitchDescription {
  const [text = "", long = ""] = doc.split(/; also --/);
  return { long, short: letter, doc: text, isRepeatable: false };
}

const configTypes: Readonly<Record<SettingType, ConfigType>> = {
  text: "string",
  path: "file",
  seconds: "float",
  flag: "boolean",
  list: "list",
  facility: "string",
  connstr: "connstr",
  address: "string",
};

function describeSetting({ key, type, default: standard, doc, sample }: SettingDefinition): ConfigKey {
  return {
    key,
    type: configTypes[type],
    doc,
    ...(standard === "" ? {} : { default: standard }),
    ...(sample === undefined ? {} : { example: sample }),
  };
}
