import type {
  CommandDescription,
  ConfigGroupDescription,
  ProgramDescription,
  SwitchDescription,
} from "@skytools/skytools";
import { code, entry, plain } from "./adoc.ts";

type ConfigKeyDescription = ConfigGroupDescription["keys"][number];

/** The parts of a program's manual page that follow from the program itself, in AsciiDoc. */
export const programFragments: Readonly<
  Record<string, (name: string, program: ProgramDescription) => string>
> = {
  summary: nameLine,
  synopsis,
  commands: (_name, { commands = [] }) => commands.map(commandEntry).join("\n"),
  statements: (_name, { commands = [] }) =>
    commands.map(({ name, summary }) => entry(plain(`${name};`), plain(sentence(summary)))).join("\n"),
  options: (_name, { switches, commonSwitches }) =>
    [...switches, ...commonSwitches].map(switchEntry).join("\n"),
  config: (_name, { config }) => config.map(configGroup).join("\n"),
};

/** The line that whatis(1) finds: converters take it as it stands in a manual page, and as AsciiDoc in a web page.
 * @throws Error for a summary that would be mark-up there */
function nameLine(name: string, { summary }: ProgramDescription): string {
  if (/[*_`#+^~{}[\]<>|]/.test(summary)) throw new Error(`the summary of ${name} is not plain: ${summary}`);
  return `${name} - ${summary}`;
}

function synopsis(name: string, { commands, args, hasConfigFile }: ProgramDescription): string {
  if (!hasConfigFile) return `*${name}* [_OPTION_...] ${operandText(args)}`;
  const operands = commands === undefined ? operandText(args) : "_COMMAND_ [_ARGUMENT_...]";
  return [
    `*${name}* [_OPTION_...] _INI_ ${operands}`.trimEnd(),
    `*${name}* _INI_ {*-r*|*-s*|*-k*}`,
    `*${name}* {*--help*|*--version*|*--ini*}`,
  ].join(" +\n");
}

function commandEntry({ name, aliases, args, summary, switches }: CommandDescription): string {
  const others =
    aliases.length === 0 ? "" : ` Other names: ${aliases.map((each) => `*${each}*`).join(", ")}.`;
  const head = entry(`*${name}* ${operandText(args)}`.trimEnd(), `${plain(sentence(summary))}${others}`);
  if (switches.length === 0) return head;
  return `${head}\n${switches.map((each) => switchEntry(each).replace("::\n", ":::\n")).join("\n")}`;
}

function switchEntry({
  long,
  short,
  argument,
  doc,
  default: standard,
  isRepeatable,
}: SwitchDescription): string {
  const value = argument === undefined ? "" : ` _${argument}_`;
  const names = [...(short === undefined ? [] : [`-${short}`]), ...(long === "" ? [] : [`--${long}`])];
  const forms = names.map((form) => `*${form}*${value}`);
  const notes = [
    ...(isRepeatable ? ["May be repeated."] : []),
    ...(standard === undefined ? [] : [`Default: ${code(standard)}.`]),
  ];
  return entry(forms.join(", "), [plain(sentence(doc)), ...notes].join(" "));
}

function configGroup({ title, keys, openKeys }: ConfigGroupDescription): string {
  const open = openKeys === undefined ? "" : `\nFurther keys of the form ${code(openKeys)} are accepted.\n`;
  return `=== Parameters for ${plain(title)}\n\n${keys.map(keyEntry).join("\n")}${open}\n`;
}

function keyEntry(key: ConfigKeyDescription): string {
  return entry(`*${key.key}*`, keyText(key));
}

/** What a key means, its type, bounds, default and an example. */
export function keyText(key: ConfigKeyDescription): string {
  const facts = [key.type === "choice" ? (key.choices ?? []).join(" or ") : key.type];
  if (key.min !== undefined && key.max !== undefined) facts.push(`${key.min} to ${key.max}`);
  else if (key.min !== undefined) facts.push(`at least ${key.min}`);
  else if (key.max !== undefined) facts.push(`at most ${key.max}`);
  if (key.required && key.default === undefined) facts.push("required");
  const standard = key.default === undefined || key.default === "" ? "" : ` Default: ${code(key.default)}.`;
  const example =
    key.example === undefined || key.example === key.default ? "" : ` Example: ${code(key.example)}.`;
  return `${plain(sentence(key.doc))} (${plain(facts.join(", "))})${standard}${example}`;
}

/** Operands as a manual page sets them: `<NAME> [TABLE...]` becomes `_NAME_ [_TABLE_...]`. */
function operandText(args: string): string {
  return args.replace(/[\w-]+/g, (word) => `_${word}_`).replace(/[<>]/g, "");
}

/** A help line as a sentence. */
function sentence(text: string): string {
  const end = /[.?!]$/.test(text) ? "" : ".";
  return text.charAt(0).toUpperCase() + text.slice(1) + end;
}
