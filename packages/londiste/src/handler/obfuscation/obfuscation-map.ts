import { readFileSync, statSync } from "node:fs";
import { type Config, ConfigError } from "@skytools/skytools";
import { parse } from "yaml";
import { type ColumnAction, isActionName, Obfuscation } from "./obfuscation.ts";

interface LoadedFile {
  readonly changed: number;
  readonly tables: ReadonlyMap<string, ReadonlyMap<string, ColumnAction>>;
}

const loadedFiles = new Map<string, LoadedFile>();

/** Reads what the file `obfuscator_map` says about a table; the file is read again when it has changed.
 * @param table name in the set
 * @throws ConfigError */
export function loadObfuscationMap(config: Config, table: string): Obfuscation {
  const file = config.has("obfuscator_map") ? config.getFile("obfuscator_map") : "";
  if (file === "") {
    throw new ConfigError("the handler obfuscate needs it", { file: config.file, key: "obfuscator_map" });
  }
  const columns = loadFile(file).get(table);
  if (columns === undefined) throw new ConfigError(`Source table not in obf_map: ${table}`, { file });
  return new Obfuscation(columns, config.getOr("obfuscator_key", ""));
}

function loadFile(file: string): LoadedFile["tables"] {
  try {
    const changed = statSync(file).mtimeMs;
    const known = loadedFiles.get(file);
    if (known !== undefined && known.changed === changed) return known.tables;
    const tables = new Map<string, ReadonlyMap<string, ColumnAction>>();
    for (const [name, columns] of membersOf(
      file,
      parse(new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file))),
      "",
    )) {
      tables.set(name, columnActions(file, columns, name));
    }
    loadedFiles.set(file, { changed, tables });
    return tables;
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new ConfigError(cause instanceof Error ? cause.message : String(cause), { file, cause });
  }
}

function columnActions(file: string, value: unknown, path: string): ReadonlyMap<string, ColumnAction> {
  const actions = new Map<string, ColumnAction>();
  for (const [name, action] of membersOf(file, value, path)) {
    const where = `${path}.${name}`;
    if (typeof action === "object") actions.set(name, columnActions(file, action, where));
    else if (isActionName(action)) actions.set(name, action);
    else throw new ConfigError(`unknown action ${JSON.stringify(action)}`, { file, key: where });
  }
  return actions;
}

function membersOf(file: string, value: unknown, path: string): [string, unknown][] {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return Object.entries(value);
  throw new ConfigError("a map of names is expected", { file, key: path });
}
