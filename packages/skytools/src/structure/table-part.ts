/** One kind of what a table consists of; a set of them says what is created or dropped. */
export type TablePart =
  /** columns with type, collation and NOT NULL */
  | "table"
  | "primary key"
  | "defaults"
  | "identity"
  /** generation expressions; only together with `table` */
  | "generated"
  /** all but the primary key and foreign keys */
  | "constraints"
  | "indexes"
  /** storage parameters, access method, UNLOGGED, and what columns say about storage and statistics */
  | "storage"
  /** of table and indexes */
  | "tablespaces"
  /** extended statistics */
  | "statistics"
  | "triggers"
  | "rules"
  /** policies, and whether they are obeyed */
  | "row security"
  | "grants"
  | "owner"
  /** PARTITION BY; only together with `table` */
  | "partitioning"
  /** INHERIT of its parents, or ATTACH to its partitioned table */
  | "inheritance"
  | "foreign keys"
  | "comments";

/** What `--create` makes. */
export const basicParts: readonly TablePart[] = ["table", "primary key"];

/** Everything that belongs to the table alone: no other role, function or table is named. Comments must be asked for. */
export const fullParts: readonly TablePart[] = [
  ...basicParts,
  "defaults",
  "identity",
  "generated",
  "constraints",
  "indexes",
  "storage",
];

/** Everything. */
export const allParts: readonly TablePart[] = [
  ...fullParts,
  "tablespaces",
  "statistics",
  "triggers",
  "rules",
  "row security",
  "grants",
  "owner",
  "partitioning",
  "inheritance",
  "foreign keys",
  "comments",
];

/** Where and as what parts are created. */
export interface PartTarget {
  /** `schema.table`, plain */
  readonly name: string;
  /** the same as SQL */
  readonly quoted: string;
  readonly parts: ReadonlySet<TablePart>;
  /** what an index, a constraint with an index, or a statistics object is called; plain */
  readonly newName: (name: string) => string;
  /** of the server where the statements will run, as Database.serverVersion */
  readonly serverVersion: number;
}
