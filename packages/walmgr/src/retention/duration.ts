import type { Config } from "@skytools/skytools";

const unitSeconds: ReadonlyMap<string, number> = new Map([
  ["s", 1],
  ["second", 1],
  ["min", 60],
  ["minute", 60],
  ["h", 3600],
  ["hour", 3600],
  ["d", 86_400],
  ["day", 86_400],
  ["w", 604_800],
  ["week", 604_800],
]);

/** A time such as `7 days`, `36 hours` or a number of seconds. @throws ConfigError */
export function durationSeconds(config: Config, key: string): number {
  const text = config.get(key).trim();
  const parts = /^(\d+(?:\.\d+)?)\s*([a-z]*?)s?$/i.exec(text);
  const unit = parts?.[2]?.toLowerCase() ?? "";
  const factor = unit === "" ? 1 : unitSeconds.get(unit);
  if (parts === null || factor === undefined) {
    throw config.error(key, `"${text}" is not a time such as 7 days, 36 hours or 600`);
  }
  return Number(parts[1]) * factor;
}
