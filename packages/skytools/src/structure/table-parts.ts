/** How a trigger or rule obeys session_replication_role. */
export type EnableMode = "origin" | "disabled" | "replica" | "always";

export interface TableColumn {
  readonly name: string;
  /** attnum */
  readonly number: number;
  /** with modifiers and fully qualified, as format_type() writes it: `numeric(10,2)`, `app.mood[]` */
  readonly type: string;
  readonly typeOid: number;
  readonly notNull: boolean;
  /** default expression; undefined also for generated columns */
  readonly default: string | undefined;
  /** generation expression */
  readonly generated: string | undefined;
  readonly generatedKind: "stored" | "virtual" | undefined;
  readonly identity: "always" | "by default" | undefined;
  /** quoted and qualified; undefined when it is the type's own */
  readonly collation: string | undefined;
  /** plain, external, main or extended; undefined when it is the type's own */
  readonly storage: string | undefined;
  readonly compression: "pglz" | "lz4" | undefined;
  /** statistics target when one is set */
  readonly statistics: number | undefined;
  /** `key=value`, such as n_distinct */
  readonly options: readonly string[] | undefined;
  /** comes from a parent table only */
  readonly isInherited: boolean;
  readonly comment: string | undefined;
}

export interface TableIndex {
  readonly name: string;
  /** CREATE INDEX statement without tablespace */
  readonly definition: string;
  /** the definition from USING on, without the names of index and table */
  readonly body: string;
  /** key columns or expressions as SQL */
  readonly columns: readonly string[];
  readonly isUnique: boolean;
  readonly isPrimary: boolean;
  readonly isValid: boolean;
  readonly isClustered: boolean;
  readonly isReplicaIdentity: boolean;
  readonly isPartial: boolean;
  /** belongs to an index of the partitioned parent and cannot be dropped alone */
  readonly isInherited: boolean;
  /** the constraint that owns it */
  readonly constraint: string | undefined;
  readonly tablespace: string | undefined;
  readonly sizeBytes: bigint;
  readonly comment: string | undefined;
}

export interface TableConstraint {
  readonly name: string;
  readonly kind: "primary key" | "unique" | "check" | "exclusion";
  /** what follows ADD CONSTRAINT name, without tablespace */
  readonly definition: string;
  readonly columns: readonly string[];
  /** comes from a parent and cannot be dropped alone */
  readonly isInherited: boolean;
  /** of its index */
  readonly tablespace: string | undefined;
  readonly comment: string | undefined;
}

export interface ForeignKey {
  readonly name: string;
  /** `schema.table`, plain */
  readonly from: string;
  readonly to: string;
  readonly fromColumns: readonly string[];
  readonly toColumns: readonly string[];
  /** what follows ADD CONSTRAINT name; ends in NOT VALID when it was never validated */
  readonly definition: string;
  readonly isValidated: boolean;
  /** belongs to a foreign key of a partitioned parent */
  readonly isInherited: boolean;
  readonly comment: string | undefined;
}

export interface TableTrigger {
  readonly name: string;
  /** CREATE TRIGGER statement */
  readonly definition: string;
  readonly enabled: EnableMode;
  readonly isRow: boolean;
  readonly timing: "before" | "after" | "instead of";
  readonly events: readonly ("insert" | "delete" | "update" | "truncate")[];
  /** `schema.function`, plain */
  readonly function: string;
  readonly isInherited: boolean;
  readonly comment: string | undefined;
}

export interface TableRule {
  readonly name: string;
  /** CREATE RULE statement */
  readonly definition: string;
  readonly enabled: EnableMode;
  readonly comment: string | undefined;
}

/** A policy of row-level security. */
export interface TablePolicy {
  readonly name: string;
  readonly isPermissive: boolean;
  readonly command: "all" | "select" | "insert" | "update" | "delete";
  /** undefined: PUBLIC */
  readonly roles: readonly string[] | undefined;
  readonly using: string | undefined;
  readonly check: string | undefined;
  readonly comment: string | undefined;
}

/** Extended statistics. */
export interface TableStatistics {
  /** `schema.name`, plain */
  readonly name: string;
  /** undefined: those of a single expression, which has no kinds */
  readonly kinds: readonly ("ndistinct" | "dependencies" | "mcv")[] | undefined;
  /** columns and expressions as SQL */
  readonly columns: string;
  /** statistics target when one is set */
  readonly target: number | undefined;
  readonly comment: string | undefined;
}

export interface OwnedSequence {
  /** `schema.sequence`, plain */
  readonly name: string;
  readonly column: string;
  /** belongs to an identity column */
  readonly isIdentity: boolean;
  /** type, increment, bounds, start, cache and cycle as CREATE SEQUENCE takes them */
  readonly settings: string;
}

export interface TableGrant {
  /** undefined: PUBLIC */
  readonly grantee: string | undefined;
  readonly privilege: string;
  readonly isGrantable: boolean;
  /** undefined: the whole table */
  readonly column: string | undefined;
}
