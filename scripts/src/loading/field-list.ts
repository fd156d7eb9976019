import { FieldMap } from "@skytools/londiste/apply";
import { type Config, type ConfigError, type ConfigKey, UsageError } from "@skytools/skytools";

/** Key of the columns that are loaded. */
export const fieldsKey: ConfigKey = {
  key: "fields",
  type: "string",
  default: "*",
  doc: "columns to load, new names after a colon: a, b:new_b; *: all as they are",
};

/** True when rows are loaded as they come. */
export function takesAllFields(fields: string): boolean {
  return ["", "*"].includes(fields.trim());
}

/** What is wrong with the value of the key. */
export function fieldErrors(config: Config): ConfigError[] {
  try {
    new FieldMap(config.get("fields"), "");
    return [];
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return [config.error("fields", `"${config.get("fields")}" is not a list of columns`, error.hint)];
  }
}
