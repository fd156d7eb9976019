import { type Database, quoteFqIdent, quoteIdent, SkytoolsError, splitFqName } from "@skytools/skytools";
import { getSequenceList, getTableList, sequenceExists, tableExists } from "../londiste-api.ts";
import { fullName } from "../names.ts";
import { parseFunctionNeed } from "./function-need.ts";
import type { ScriptAttributeKey, ScriptAttributes } from "./script-attributes.ts";

/** Whether a script runs on a node. */
export interface ScriptDecision {
  readonly isNeeded: boolean;
  /** names as written in the attributes, with what stands for `@name@` in the script */
  readonly substitutes: ReadonlyMap<string, string>;
}

/** Looks at what the attributes of a script ask for: runs it where all is there, or nothing is asked; skips it where nothing is
 * there. Leaves the transaction open.
 * @throws SkytoolsError SCRIPT when some of it is there and some is not, or a function is named in another form than
 *   name(number of arguments)
 * Source: spec/londiste.md 11.1 */
export async function decideScript(
  db: Database,
  queueName: string,
  attributes: ScriptAttributes,
): Promise<ScriptDecision> {
  const lookup = new LocalLookup(db, queueName);
  const substitutes = new Map<string, string>();
  const matches: string[] = [];
  const misses: string[] = [];
  for (const [key, names] of attributes) {
    for (const name of names) {
      const found = await lookup.find(key, name);
      (found.isThere ? matches : misses).push(name);
      if (found.substitute !== undefined) substitutes.set(name, found.substitute);
    }
  }
  if (matches.length > 0 && misses.length > 0) {
    throw new SkytoolsError(
      "SCRIPT",
      `SQL only partially matches local setup: matches=[${matches.join(", ")}] misses=[${misses.join(", ")}]`,
      {
        retry: "later",
        hint: "A script runs on nodes that have all of what its attributes name, or nothing.",
      },
    );
  }
  return { isNeeded: misses.length === 0, substitutes };
}

/** Puts the names of this node in place of `@name@`. */
export function substituteNames(sql: string, substitutes: ReadonlyMap<string, string>): string {
  let text = sql;
  for (const [name, substitute] of substitutes) text = text.replaceAll(`@${name}@`, () => substitute);
  return text;
}

interface Found {
  readonly isThere: boolean;
  /** for keys whose names are substituted */
  readonly substitute?: string;
}

class LocalLookup {
  readonly #db: Database;
  readonly #queueName: string;
  #tables: Promise<ReadonlyMap<string, string>> | undefined;
  #sequences: Promise<ReadonlySet<string>> | undefined;

  constructor(db: Database, queueName: string) {
    this.#db = db;
    this.#queueName = queueName;
  }

  async find(key: ScriptAttributeKey, name: string): Promise<Found> {
    const db = this.#db;
    switch (key) {
      case "local-table": {
        const destination = (await this.#localTables()).get(fullName(name));
        return substituted(destination !== undefined, destination ?? fullName(name));
      }
      case "local-destination": {
        const destination = (await this.#localTables()).get(fullName(name));
        const isThere = destination !== undefined && (await tableExists(db, destination));
        return substituted(isThere, destination ?? fullName(name));
      }
      case "local-sequence":
        return substituted((await this.#localSequences()).has(fullName(name)), fullName(name));
      case "need-table":
        return { isThere: await tableExists(db, fullName(name)) };
      case "need-sequence":
        return { isThere: await sequenceExists(db, fullName(name)) };
      case "need-view":
        return {
          isThere: await this.#ask(
            "select to_regclass($1) is not null as found",
            quoteFqIdent(fullName(name)),
          ),
        };
      case "need-schema":
        return {
          isThere: await this.#ask("select to_regnamespace($1) is not null as found", quoteIdent(name)),
        };
      case "need-function":
        return { isThere: await this.#hasFunction(name) };
    }
  }

  async #localTables(): Promise<ReadonlyMap<string, string>> {
    this.#tables ??= getTableList(this.#db, this.#queueName).then(
      (tables) =>
        new Map(tables.filter((table) => table.isLocal).map((table) => [table.name, table.destination])),
    );
    return this.#tables;
  }

  async #localSequences(): Promise<ReadonlySet<string>> {
    this.#sequences ??= getSequenceList(this.#db, this.#queueName).then(
      (sequences) => new Set(sequences.filter((item) => item.isLocal).map((item) => item.name)),
    );
    return this.#sequences;
  }

  /** `name(number of arguments)`; without a schema wherever the session would find it. */
  async #hasFunction(text: string): Promise<boolean> {
    const { name, argumentCount } = parseFunctionNeed(text);
    const [schema, plain] = name.includes(".") ? splitFqName(name) : [null, name];
    return this.#ask(
      `select exists (select from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
                       where p.proname = $1 and p.pronargs = $2::int4
                         and (n.nspname = $3 or $3::text is null and n.nspname = any (current_schemas(true)))) as found`,
      plain,
      argumentCount,
      schema,
    );
  }

  async #ask(sql: string, ...parameters: readonly unknown[]): Promise<boolean> {
    return (await this.#db.queryOne<{ found: boolean }>(sql, parameters)).found;
  }
}

function substituted(isThere: boolean, name: string): Found {
  return { isThere, substitute: quoteFqIdent(name) };
}
