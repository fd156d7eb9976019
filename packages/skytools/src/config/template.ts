import type { ConfigGroup, ConfigKey } from "./config-key.ts";

/** The sample file that `--ini` prints. Overrides are merged in where the sample has the key: the old line stays as a
 * comment, the override follows.
 * Source: spec/framework.md 2.3 */
export function configTemplate(
  section: string,
  groups: readonly ConfigGroup[],
  overrides: Readonly<Record<string, string>>,
): string {
  const seen = new Set<string>();
  const fragments = groups.flatMap((group) => {
    const keys = group.keys.filter((key) => !seen.has(key.key));
    for (const key of keys) seen.add(key.key);
    const entries = keys
      .filter((key) => key.template !== "hidden")
      .map((key) => templateEntry(key, overrides[key.key]));
    return entries.length === 0 ? [] : [`## Parameters for ${group.title}\n\n${entries.join("\n")}`];
  });
  return `[${section}]\n\n${fragments.join("\n")}`;
}

function templateEntry(key: ConfigKey, override: string | undefined): string {
  const value = key.example ?? (key.default ?? "").replaceAll("%", "%%");
  const line = `${key.key} = ${value}`.trimEnd();
  const isLive = key.template === "live" || (key.template === undefined && key.required === true);
  const comment = `# ${[key.doc, ...limits(key)].join("; ")}\n`;
  if (override === undefined) return `${comment}${isLive ? "" : "#"}${line}\n`;
  const old = isLive && value === "" ? "" : `#${line}\n`;
  return `${comment}${old}${key.key} = ${override}\n`;
}

function limits({ choices, required }: ConfigKey): string[] {
  return [
    ...(choices === undefined ? [] : [`one of ${choices.filter((choice) => choice !== "").join(", ")}`]),
    ...(required ? ["required"] : []),
  ];
}
