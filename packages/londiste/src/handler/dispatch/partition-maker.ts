import {
  type Database,
  type Log,
  quoteFqIdent,
  quoteIdent,
  quoteLiteral,
  SkytoolsError,
  type SqlToken,
  splitFqName,
  sqlTokens,
} from "@skytools/skytools";
import { dropObsoletePartitions } from "./obsolete-partitions.ts";
import type { PartitionTime, Period } from "./partition-time.ts";

/** How partitions are made and dropped. */
export interface PartitionRules {
  /** plain names */
  readonly parent: string;
  readonly period: Period;
  readonly field: string | undefined;
  /** SQL function with the signature of londiste.create_partition */
  readonly functionName: string;
  /** what to do without template and function; left out: a table like the parent */
  readonly otherwise?: "fail";
  /** SQL in place of the function; like preSql and postSql with %(part)s and so on */
  readonly template: string | undefined;
  readonly preSql: string | undefined;
  readonly postSql: string | undefined;
  /** interval; partitions older than that are dropped when another one is made */
  readonly retentionPeriod: string | undefined;
  readonly ignoresOldEvents: boolean;
}

/** Makes the partitions that a batch needs, within its transaction.
 * Source: spec/londiste.md 12.7 "Partition creation" */
export class PartitionMaker {
  readonly #target: Database;
  readonly #log: Log;
  readonly #rules: PartitionRules;
  /** partitions that were looked at in this batch; false: events for it are ignored */
  readonly #known = new Map<string, boolean>();

  constructor(target: Database, log: Log, rules: PartitionRules) {
    this.#target = target;
    this.#log = log;
    this.#rules = rules;
  }

  /** Makes sure that a partition is there.
   * @param part plain name
   * @returns false when it is too old: its events are ignored */
  async ensure(part: string, time: PartitionTime, key: readonly string[]): Promise<boolean> {
    let isUsed = this.#known.get(part);
    if (isUsed === undefined) {
      isUsed = await this.#make(part, time, key);
      this.#known.set(part, isUsed);
    }
    return isUsed;
  }

  async #make(part: string, time: PartitionTime, key: readonly string[]): Promise<boolean> {
    const { retentionPeriod, ignoresOldEvents } = this.#rules;
    if (
      retentionPeriod !== undefined &&
      ignoresOldEvents &&
      (await this.#isObsolete(part, retentionPeriod))
    ) {
      this.#log.info(`Ignored table: ${part}`);
      return false;
    }
    if (await this.exists(part)) return true;
    checkName(part);
    // Others who make partitions of whatever table wait until our transaction ends, and then find ours.
    await this.#target.query(
      "select pg_advisory_xact_lock(pg_catalog.hashtextextended('skytools create partition', 0))",
    );
    if (await this.exists(part)) return true;
    await this.#create(part, time, key);
    this.#log.info(`Created table: ${part}`);
    if (retentionPeriod === undefined) return true;
    await this.#dropObsolete(retentionPeriod);
    if (await this.exists(part)) return true;
    this.#log.info(`Ignored table: ${part}`);
    return false;
  }

  /** Reads the catalog: to_regclass may repeat what the session saw before it waited for the lock, since waiting for an
   * advisory lock does not make it take notice of what others have changed.
   * @param part plain name */
  async exists(part: string): Promise<boolean> {
    const sql = `select exists (
        select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         where n.nspname = $1 and c.relname = $2) as found`;
    return (await this.#target.queryOne<{ found: boolean }>(sql, [...splitFqName(part)])).found;
  }

  async #create(part: string, time: PartitionTime, key: readonly string[]): Promise<void> {
    const { parent, field, period, functionName, template, preSql, postSql } = this.#rules;
    const values = {
      dest: quoteFqIdent(parent),
      part: quoteFqIdent(part),
      parent: quoteFqIdent(parent),
      pkeys: key.map((name) => quoteIdent(name)).join(", "),
      schema_table: part.replaceAll(".", "__").replaceAll(/[^\p{L}\p{N}_]/gu, "_"),
      part_field: field === undefined ? "" : quoteIdent(field),
      part_time: time.text,
      period,
    };
    if (preSql !== undefined) await this.#target.execute(fillIn(preSql, values));
    const called = await this.#findFunction(functionName);
    if (template !== undefined) {
      await this.#target.execute(fillIn(template, values));
    } else if (called !== undefined) {
      await this.#target.query(`select ${called}($1, $2, $3, $4, $5::timestamptz, $6)`, [
        parent,
        part,
        key.join(","),
        field ?? null,
        time.text,
        period,
      ]);
    } else if (this.#rules.otherwise === "fail") {
      throw new SkytoolsError("DISPATCH", `table "${part}" does not exist on ${this.#target.label}`, {
        retry: "later",
        hint: "Create it, set part_template, or install dispatch.sql, whose create_partition makes partitions of an existing table.",
      });
    } else {
      await this.#target.execute(`create table ${values.part} (like ${values.parent} including all)`);
    }
    if (postSql !== undefined) await this.#target.execute(fillIn(postSql, values));
  }

  /** @returns the function as SQL, undefined when there is none */
  async #findFunction(name: string): Promise<string | undefined> {
    const names = name === "londiste.create_partition" ? [name, "public.create_partition"] : [name];
    for (const candidate of names) {
      const [schema, plain] = splitFqName(candidate);
      const found = await this.#target.query(
        `select from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
          where n.nspname = $1 and p.proname = $2`,
        [schema, plain],
      );
      if (found.length > 0) return quoteFqIdent(candidate);
    }
    return undefined;
  }

  async #isObsolete(part: string, retentionPeriod: string): Promise<boolean> {
    const sql = "select londiste.is_obsolete_partition($1, $2::interval, $3) is true as is_obsolete";
    const parameters = [part, retentionPeriod, this.#rules.period];
    return (await this.#target.queryOne<{ is_obsolete: boolean }>(sql, parameters)).is_obsolete;
  }

  /** Those in use go when the next partition is made. */
  async #dropObsolete(retentionPeriod: string): Promise<void> {
    const { parent, period } = this.#rules;
    const { dropped, inUse } = await dropObsoletePartitions(this.#target, parent, retentionPeriod, period);
    if (dropped.length > 0) this.#log.info(`Dropped tables: ${dropped.join(", ")}`);
    if (inUse.length > 0) this.#log.warn(`Obsolete tables in use, dropped later: ${inUse.join(", ")}`);
  }
}

const longestName = 63;

/** The server would cut the name, and events would not find the table. */
function checkName(part: string): void {
  const [, table] = splitFqName(part);
  if (Buffer.byteLength(table) <= longestName) return;
  throw new SkytoolsError("DISPATCH", `name of partition "${part}" is longer than ${longestName} bytes`, {
    retry: "later",
  });
}

/** Names and values in place of `%(name)s`, `%%` becomes `%`; in quotes of its own a value is a literal. Names may be of
 * somebody else's choice: what is a quoted name where SQL takes names would end a longer string, or a comment, around it.
 * @throws SkytoolsError DISPATCH for a name that cannot stand there */
function fillIn(sql: string, values: Readonly<Record<string, string>>): string {
  const known = new Map(Object.entries(values));
  const closed = [...sqlTokens(sql)].filter(isClosedText);
  const around = (at: number) =>
    closed.find((token) => token.at < at && (token.kind === "error" || at < token.at + token.text.length));
  return sql.replace(
    /%%|'%\((\w+)\)s'|%\((\w+)\)s/g,
    (text, quoted: string | undefined, plain: string | undefined, at: number) => {
      if (text === "%%") return "%";
      const value = known.get(quoted ?? plain ?? "");
      if (value === undefined) return text;
      const token = around(at);
      if (token !== undefined && !fitsInto(token, value)) throw misplaced(text, value);
      return quoted === undefined ? value : quoteLiteral(value);
    },
  );
}

/** Text that has an end of its own: strings, quoted names, comments. */
function isClosedText({ kind, text }: SqlToken): boolean {
  return kind === "identifier" ? text.includes('"') : /^(?:string|dollar string|space|error)$/.test(kind);
}

/** In the body of a function or of DO a quoted name is one; strings in there, and the body's own end, are what it must not end. */
function fitsInto({ kind }: SqlToken, value: string): boolean {
  if (kind === "dollar string") return !/['\\$]/.test(value);
  return /^[\p{L}\p{N}_., :-]*$/u.test(value);
}

function misplaced(place: string, value: string): SkytoolsError {
  return new SkytoolsError("DISPATCH", `${value} cannot be put into the string or comment around ${place}`, {
    retry: "later",
    hint: "In a template names stand where SQL takes names, or are the whole of a string.",
  });
}
