import { Config, ConfigError, type ConfigGroup, nearestName } from "@skytools/skytools";
import { type ObjectKind, objectKinds, sequenceKind } from "./object-kind.ts";

/** Objects of one kind, and what the roles may do with them. */
export interface GrantedObjects {
  readonly kind: ObjectKind;
  /** as it stands in the file, lines and all, without the marks of tables with sequences */
  readonly list: string;
  readonly grants: readonly Grant[];
}

export interface Grant {
  /** with the word `group` before it where it is one */
  readonly role: string;
  readonly privileges: string;
}

export interface GrantSection {
  readonly name: string;
  readonly objects: readonly GrantedObjects[];
  /** the section says itself what PUBLIC gets */
  readonly namesPublic: boolean;
}

export interface GrantFile {
  /** all roles that the file is about */
  readonly roles: readonly string[];
  /** by name */
  readonly sections: readonly GrantSection[];
}

const head = "GrantFu";

const headKeys: ConfigGroup = {
  title: head,
  keys: [
    { key: "users", type: "list", default: "", doc: "roles" },
    { key: "roles", type: "list", default: "", doc: "roles too" },
    { key: "groups", type: "list", default: "", doc: "roles that the statements call groups" },
    { key: "auto_seq", type: "boolean", default: "0", doc: "treat every table as one with a sequence" },
    { key: "seq_name", type: "string", default: "id", doc: "a table's sequence is TABLE_<seq_name>_seq" },
    { key: "seq_usage", type: "boolean", default: "0", doc: "grant usage on sequences, not select, update" },
  ],
};

/** @throws ConfigError naming file, section, key and line */
export function readGrantFile(path: string): GrantFile {
  const config = Config.load(path, head, { groups: [headKeys] });
  const { errors, suspicions } = config.findings();
  const wrong = [...errors, ...suspicions][0];
  if (wrong !== undefined) throw wrong;
  const roleKeys = ["users", "roles", "groups"] as const;
  const roles = new Map<string, string>();
  for (const key of roleKeys) {
    for (const name of config.getList(key)) {
      roles.set(name.toLowerCase(), key === "groups" ? `group ${name}` : name);
    }
  }
  const names = config.sections().filter((name) => name !== head);
  const reader = new SectionReader(config, roles);
  return { roles: [...roles.values()], sections: names.toSorted().map((name) => reader.read(name)) };
}

class SectionReader {
  readonly #head: Config;
  /** name in lower case, as keys are, to the text of the statements */
  readonly #roles: ReadonlyMap<string, string>;

  constructor(config: Config, roles: ReadonlyMap<string, string>) {
    this.#head = config;
    this.#roles = roles;
  }

  read(name: string): GrantSection {
    const section = this.#head.openSection(name);
    const kinds = objectKinds.filter(({ key }) => section.has(key));
    const grantees = section.keys().filter((key) => !key.startsWith("on."));
    this.#checkKinds(section, kinds);
    for (const role of grantees) this.#checkGrant(section, role, kinds);
    const objects = kinds.flatMap((kind) => this.#objects(section, kind, grantees));
    return { name, objects, namesPublic: grantees.includes("public") };
  }

  #checkKinds(section: Config, kinds: readonly ObjectKind[]): void {
    const known = objectKinds.map(({ key }) => key);
    const unknown = section.keys().find((key) => key.startsWith("on.") && !known.includes(key));
    if (unknown !== undefined) {
      const near = nearestName(unknown, known);
      throw section.error(unknown, "there are no such objects", near && `Perhaps ${near} is meant.`);
    }
    if (kinds.length > 0) {
      const empty = kinds.find(({ key }) => section.get(key).trim() === "");
      if (empty !== undefined) throw section.error(empty.key, "names no objects");
      return;
    }
    throw new ConfigError("the section names no objects", {
      file: section.file,
      section: section.section,
      hint: `It needs one of ${known.join(", ")}.`,
    });
  }

  #checkGrant(section: Config, role: string, kinds: readonly ObjectKind[]): void {
    if (role !== "public" && !this.#roles.has(role)) {
      const near = nearestName(role, [...this.#roles.keys(), "public"]);
      const guess = near === undefined ? "" : ` Perhaps ${near} is meant.`;
      throw section.error(
        role,
        `[${head}] lists no such role`,
        `List it under users, roles or groups.${guess}`,
      );
    }
    for (const word of privilegeWords(section.get(role))) {
      const isKnown = (kind: ObjectKind) => ["all", "all privileges", ...kind.privileges].includes(word);
      const stranger = kinds.find((kind) => !isKnown(kind));
      if (stranger === undefined) continue;
      throw section.error(
        role,
        `"${word}" is no privilege of ${stranger.key.slice("on.".length)}`,
        `There are all, ${stranger.privileges.join(", ")}.`,
      );
    }
  }

  #objects(section: Config, kind: ObjectKind, grantees: readonly string[]): GrantedObjects[] {
    const text = section.get(kind.key).trim();
    const grants = grantees.flatMap((role) => {
      const privileges = section.get(role).trim();
      return privileges === "" ? [] : [{ role: this.#roles.get(role) ?? role, privileges }];
    });
    const list = kind.word === "TABLE" ? text.replaceAll("!", "") : text;
    const objects: GrantedObjects = { kind, list, grants };
    const sequences = kind.word === "TABLE" ? this.#sequences(text) : [];
    if (sequences.length === 0) return [objects];
    const right = this.#head.getBoolean("seq_usage") ? "usage" : "select, update";
    const mayInsert = ({ privileges }: Grant) =>
      privilegeWords(privileges).some((word) => word === "insert" || word.startsWith("all"));
    const ofSequences = grants.filter(mayInsert).map(({ role }) => ({ role, privileges: right }));
    return [objects, { kind: sequenceKind, list: sequences.join(", "), grants: ofSequences }];
  }

  /** The sequences that belong to the tables of a list. */
  #sequences(tables: string): string[] {
    const isUsual = this.#head.getBoolean("auto_seq");
    return tables
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name.endsWith("!") !== isUsual && name !== "")
      .map((name) => sequenceName(name.replace(/!$/, ""), this.#head.get("seq_name")));
  }
}

/** The words of a privilege list in lower case, without columns. */
function privilegeWords(text: string): string[] {
  return text
    .toLowerCase()
    .replaceAll(/\([^)]*\)/g, "")
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
}

function sequenceName(table: string, name: string): string {
  return table.endsWith('"') ? `${table.slice(0, -1)}_${name}_seq"` : `${table}_${name}_seq`;
}
