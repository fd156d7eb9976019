/** A kind of objects that a section may name. */
export interface ObjectKind {
  /** key of a section: `on.tables` */
  readonly key: string;
  /** word of the statements */
  readonly word: string;
  readonly privileges: readonly string[];
  /** what PostgreSQL grants to PUBLIC when such an object is made; source: PostgreSQL manual, "Privileges" */
  readonly publicDefault?: string;
}

/** In the order of their statements. */
export const objectKinds: readonly ObjectKind[] = [
  {
    key: "on.tables",
    word: "TABLE",
    privileges: ["select", "insert", "update", "delete", "truncate", "references", "trigger", "maintain"],
  },
  {
    key: "on.databases",
    word: "DATABASE",
    privileges: ["create", "connect", "temporary", "temp"],
    publicDefault: "connect, temp",
  },
  { key: "on.functions", word: "FUNCTION", privileges: ["execute"], publicDefault: "execute" },
  { key: "on.languages", word: "LANGUAGE", privileges: ["usage"], publicDefault: "usage" },
  { key: "on.schemas", word: "SCHEMA", privileges: ["create", "usage"] },
  { key: "on.tablespaces", word: "TABLESPACE", privileges: ["create"] },
  { key: "on.sequences", word: "SEQUENCE", privileges: ["usage", "select", "update"] },
  { key: "on.types", word: "TYPE", privileges: ["usage"], publicDefault: "usage" },
  { key: "on.domains", word: "DOMAIN", privileges: ["usage"], publicDefault: "usage" },
];

export const sequenceKind: ObjectKind = objectKinds.find(({ key }) => key === "on.sequences")!;
