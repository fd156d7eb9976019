import type { Database } from "../db/database.ts";
import { SkytoolsError } from "../errors.ts";
import { quoteFqIdent, quoteIdent, splitFqName } from "../quoting/quote-ident.ts";
import { grantSql } from "./access-sql.ts";
import type { TableGrant } from "./table-parts.ts";

/** One kind of what a sequence consists of. */
export type SequencePart = "sequence" | "grants" | "owner";

interface RawSequence {
  readonly owner: string;
  readonly type: string;
  readonly increment: bigint;
  readonly min: bigint;
  readonly max: bigint;
  readonly cache: bigint;
  readonly is_cycling: boolean;
  readonly position: bigint;
  readonly is_called: boolean;
  readonly grants: string;
}

const sequenceQuery = `
select pg_catalog.pg_get_userbyid(c.relowner) as owner, pg_catalog.format_type(q.seqtypid, null) as type,
       q.seqincrement as increment, q.seqmin as min, q.seqmax as max, q.seqcache as cache, q.seqcycle as is_cycling,
       (select coalesce(json_agg(json_build_object('grantee', r.rolname, 'privilege', lower(g.privilege_type),
                                                   'isGrantable', g.is_grantable)
                                 order by r.rolname, g.privilege_type), '[]')
          from pg_catalog.aclexplode(c.relacl) g
          left join pg_catalog.pg_roles r on r.oid = g.grantee
         where g.grantee = 0 or r.rolname is not null)::text as grants
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_sequence q on q.seqrelid = c.oid
 where n.nspname = $1 and c.relname = $2`;

/** What the catalogs say about one sequence, and where it stands.
 * Source: spec/framework.md 7.4 (SeqStruct) */
export class SequenceStructure {
  /** `schema.sequence`, plain */
  readonly name: string;
  readonly owner: string;
  readonly type: string;
  readonly increment: bigint;
  readonly min: bigint;
  readonly max: bigint;
  readonly cache: bigint;
  readonly isCycling: boolean;
  /** the value that nextval() gives next; beyond the bounds when the sequence is used up */
  readonly next: bigint;
  readonly grants: readonly TableGrant[];

  private constructor(name: string, raw: RawSequence) {
    this.name = name;
    this.owner = raw.owner;
    this.type = raw.type;
    this.increment = raw.increment;
    this.min = raw.min;
    this.max = raw.max;
    this.cache = raw.cache;
    this.isCycling = raw.is_cycling;
    this.next = raw.is_called ? raw.position + raw.increment : raw.position;
    this.grants = (JSON.parse(raw.grants) as TableGrant[]).map((grant) => ({
      ...grant,
      grantee: grant.grantee ?? undefined,
      column: undefined,
    }));
  }

  /** @param name `schema.sequence`, plain; without a dot the schema is public
   * @throws SkytoolsError SEQUENCE_NOT_FOUND */
  static async load(db: Database, name: string): Promise<SequenceStructure> {
    const [schema, sequence] = splitFqName(name);
    const fullName = `${schema}.${sequence}`;
    const facts = await db.queryMaybe<RawSequence>(sequenceQuery, [schema, sequence]);
    if (facts === undefined) {
      throw new SkytoolsError("SEQUENCE_NOT_FOUND", `sequence not found: ${fullName} (${db.label})`);
    }
    const state = await db.queryOne<{ position: bigint; is_called: boolean }>(
      `select last_value as position, is_called from ${quoteFqIdent(fullName)}`,
    );
    return new SequenceStructure(fullName, { ...facts, ...state });
  }

  /** The statements that create a sequence that goes on where this one stands, without closing semicolons.
   * @param options name: `schema.sequence`, plain, default its own; parts: default all
   * @throws SkytoolsError SEQUENCE_EXHAUSTED when this one has no next value */
  createSql(options: { readonly name?: string; readonly parts?: readonly SequencePart[] } = {}): string[] {
    const target = quoteFqIdent(options.name ?? this.name);
    const parts = options.parts ?? ["sequence", "grants", "owner"];
    return [
      ...(parts.includes("sequence") ? [`create sequence ${target} ${this.#settings()}`] : []),
      ...(parts.includes("grants") ? this.grants.map((grant) => grantSql(grant, `sequence ${target}`)) : []),
      ...(parts.includes("owner") ? [`alter sequence ${target} owner to ${quoteIdent(this.owner)}`] : []),
    ];
  }

  #settings(): string {
    const start = this.#start();
    return [
      `as ${this.type}`,
      `increment by ${this.increment}`,
      `minvalue ${this.min}`,
      `maxvalue ${this.max}`,
      `start with ${start}`,
      `cache ${this.cache}`,
      ...(this.isCycling ? ["cycle"] : []),
    ].join(" ");
  }

  #start(): bigint {
    if (this.next >= this.min && this.next <= this.max) return this.next;
    if (this.isCycling) return this.increment > 0n ? this.min : this.max;
    throw new SkytoolsError("SEQUENCE_EXHAUSTED", `sequence ${this.name} has no value left`, {
      hint: "Give it other bounds, or let it cycle.",
    });
  }
}
