import type { ConfigGroupDescription, ProgramDescription } from "@skytools/skytools";
import { code } from "./adoc.ts";
import { keyText } from "./program-fragments.ts";

type ConfigKeyDescription = ConfigGroupDescription["keys"][number];

/** One meaning of a key, and the programs in which it has it. */
interface Meaning {
  readonly key: ConfigKeyDescription;
  readonly programs: string[];
}

/** Every key of every program's configuration file, by name, in AsciiDoc. A key that means the same in several programs is told
 * once.
 * @param programs by the name of their manual page */
export function configReference(programs: ReadonlyMap<string, ProgramDescription>): string {
  const described = [...programs].filter(
    ([, { hasConfigFile, config }]) => hasConfigFile && config.length > 0,
  );
  const meanings = new Map<string, Map<string, Meaning>>();
  for (const [name, { config }] of described) {
    for (const key of config.flatMap(({ keys }) => keys)) {
      const ofKey = meanings.get(key.key) ?? new Map<string, Meaning>();
      meanings.set(key.key, ofKey);
      const text = keyText(key);
      const meaning = ofKey.get(text) ?? { key, programs: [] };
      ofKey.set(text, meaning);
      meaning.programs.push(name);
    }
  }
  const names = described.map(([name]) => name);
  const rows = [...meanings.keys()].sort().map((name) => {
    const ofKey = [...meanings.get(name)!.values()];
    const head = `.${ofKey.length}+|[[key-${name}]]${code(name)}`;
    return `${head} ${ofKey.map((meaning) => meaningCells(meaning, names)).join("\n")}`;
  });
  return `[.keys,cols="3,8,4"]\n|===\n|key |meaning |programs\n\n${rows.join("\n\n")}\n|===\n`;
}

/** The families of keys whose names are the user's own: `^\\w+_extra_connstr$`. */
export function openKeys(programs: ReadonlyMap<string, ProgramDescription>): string {
  const families = new Set(
    [...programs.values()].flatMap(({ config }) => config.flatMap(({ openKeys: family }) => family ?? [])),
  );
  return [...families].map((family) => `* ${code(family)}`).join("\n");
}

/** Cells of the table: meaning, programs; nearly all of them are told by the ones that lack the key. */
function meaningCells({ key, programs }: Meaning, all: readonly string[]): string {
  const links = (names: readonly string[]) =>
    names.map((name) => `xref:../man/${name}.adoc[${name}]`).join(", ");
  const others = all.filter((name) => !programs.includes(name));
  const who =
    others.length === 0
      ? "all"
      : others.length < 3
        ? `all but ${links(others)}`
        : links([...new Set(programs)]);
  return `|${keyText(key).replaceAll("|", "\\|")} |${who}`;
}
