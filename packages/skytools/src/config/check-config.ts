import { parseConnectPairs } from "../db/connect-string.ts";
import { ConfigError, UsageError } from "../errors.ts";
import type { ConfigGroup, ConfigKey } from "./config-key.ts";
import type { ConfigSource } from "./config-source.ts";
import { nearestName } from "./nearest-name.ts";
import {
  parseBoolean,
  parseBytes,
  parseFloatText,
  parseInteger,
  parseInterval,
  ValueError,
} from "./typed-value.ts";

/** What is wrong with a section. `suspicions` may be typing mistakes, but a historic file with them must still start. */
export interface ConfigFindings {
  readonly errors: readonly ConfigError[];
  readonly suspicions: readonly ConfigError[];
}

/** Keys that are given by the file's name and the host, beside the declared ones. */
const implicitNames = ["job_name", "service_name", "host_name", "config_dir", "config_file", "config_format"];

/** Checks every key of a section against its declaration. */
export function checkConfig(source: ConfigSource, groups: readonly ConfigGroup[]): ConfigFindings {
  const declared = declaredKeys(groups);
  const keys = [...declared.values(), ...openKeys(source, groups, declared)];
  const errors = keys.flatMap((key) => keyErrors(source, key));
  const suspicions = [
    ...oldSection(source),
    ...unknownKeys(source, groups, declared),
    ...inlineComments(source),
  ];
  return { errors, suspicions };
}

/** Declared keys by name. The first group that declares a key wins: a program can change what the framework says. */
export function declaredKeys(groups: readonly ConfigGroup[]): Map<string, ConfigKey> {
  const keys = groups.flatMap((group) => group.keys);
  return new Map(keys.reverse().map((key) => [key.key, key]));
}

/** Declarations of the keys of the section whose names groups leave open. */
function openKeys(
  source: ConfigSource,
  groups: readonly ConfigGroup[],
  declared: ReadonlyMap<string, ConfigKey>,
): ConfigKey[] {
  return source
    .keys()
    .filter((key) => !declared.has(key))
    .flatMap((key) => {
      const group = groups.find(({ openKeys: pattern }) => pattern?.test(key));
      return group === undefined ? [] : [{ key, type: group.openType ?? "string", doc: group.title }];
    });
}

function keyErrors(source: ConfigSource, key: ConfigKey): ConfigError[] {
  try {
    const text = source.value(key.key);
    if (key.required && (text === undefined || text === "")) {
      return [source.error(key.key, "required key is not set", `It means: ${key.doc}.`)];
    }
    if (text !== undefined && source.isSet(key.key)) checkValue(key, text);
    return [];
  } catch (cause) {
    if (cause instanceof ValueError) return [source.error(key.key, cause.message)];
    if (cause instanceof UsageError) return [source.error(key.key, cause.message, cause.hint)];
    if (cause instanceof ConfigError) return [cause];
    throw cause;
  }
}

/** @throws ValueError, UsageError */
function checkValue(key: ConfigKey, text: string): void {
  switch (key.type) {
    case "int":
      checkBounds(key, parseInteger(text));
      return;
    case "float":
      checkBounds(key, parseFloatText(text));
      return;
    case "bytes":
      checkBounds(key, parseBytes(text));
      return;
    case "boolean":
      parseBoolean(text);
      return;
    case "connstr":
      parseConnectPairs(text);
      return;
    case "choice":
      if (!key.choices?.includes(text)) {
        throw new ValueError(`"${text}" is not one of ${key.choices?.join(", ")}`);
      }
      return;
    case "interval":
      if (text !== "") parseInterval(text);
      return;
    case "string":
    case "list":
    case "dict":
    case "file":
      return;
  }
}

function checkBounds({ min, max }: ConfigKey, value: number): void {
  if (min !== undefined && value < min) throw new ValueError(`${value} is less than ${min}`);
  if (max !== undefined && value > max) throw new ValueError(`${value} is more than ${max}`);
}

function oldSection({ ini: { file }, section, properSection }: ConfigSource): ConfigError[] {
  if (section === properSection) return [];
  return [new ConfigError(`section [${section}] is now called [${properSection}]`, { file })];
}

function unknownKeys(
  source: ConfigSource,
  groups: readonly ConfigGroup[],
  declared: ReadonlyMap<string, ConfigKey>,
): ConfigError[] {
  const used = source.referencedKeys();
  const isKnown = (key: string) =>
    declared.has(key) ||
    implicitNames.includes(key) ||
    used.has(key) ||
    groups.some((group) => group.openKeys?.test(key));
  return source
    .keys()
    .filter((key) => !isKnown(key))
    .map((key) => {
      const near = nearestName(key, declared.keys());
      return source.error(key, `unknown key${near === undefined ? "" : `, perhaps ${near} is meant`}`);
    });
}

/** Skytools 2 cut a value at a semicolon; here it belongs to the value. */
function inlineComments(source: ConfigSource): ConfigError[] {
  const entries = [...(source.ini.sections.get(source.section) ?? [])];
  return entries
    .filter(([, entry]) => /^[^\n]*[ \t];[^\n]*$/.test(entry.value))
    .map(([key]) =>
      source.error(key, 'the text after " ;" is part of the value: comments need lines of their own'),
    );
}
