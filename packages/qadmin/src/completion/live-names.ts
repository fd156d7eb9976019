import { Database, DatabaseError, quoteFqIdent } from "@skytools/skytools";
import type { NameList } from "../grammar/grammar.ts";
import { knownHosts } from "./hosts.ts";
import { nameQueries } from "./name-queries.ts";

const usualPorts = ["5432", "6432"];
/** schema or table missing, not allowed to look */
const nothingThere = new Set(["3F000", "42P01", "42501"]);
/** nobody waits longer for a completion */
const patience = "set statement_timeout = '3s'; set default_transaction_read_only = on";

/** A name as it is typed, and what it is called without quotes. */
export interface TypedName {
  readonly typed: string;
  readonly plain: string;
}

/** Names that exist now. They are read over a connection of their own: that of the user may be in a transaction, or in the middle of
 * something. Each list is read once between two calls of forget().
 * Source: spec/qadmin.md 7 */
export class LiveNames implements AsyncDisposable {
  readonly #lists = new Map<NameList, Promise<TypedName[]>>();
  #db: Database | undefined;
  #connstr: string | undefined;

  /** @param connstr where the console is connected now
   * @param queue the default queue */
  list(names: NameList, connstr: string, queue: string | undefined): Promise<TypedName[]> {
    const known = this.#lists.get(names) ?? this.#read(names, connstr, queue);
    this.#lists.set(names, known);
    return known;
  }

  forget(): void {
    this.#lists.clear();
  }

  async #read(names: NameList, connstr: string, queue: string | undefined): Promise<TypedName[]> {
    if (names === "host") return knownHosts().map(typedName);
    if (names === "port") return usualPorts.map((port) => ({ typed: port, plain: port }));
    const { sql, usesQueue, isQualified } = nameQueries[names];
    if (usesQueue === true && queue === undefined) return [];
    const db = await this.#connection(connstr);
    try {
      const rows = await db.query<{ name: string }>(sql, usesQueue === true ? [queue] : []);
      const toTyped = names === "batch" ? plainText : isQualified === true ? qualifiedName : typedName;
      return rows.map(({ name }) => toTyped(name));
    } catch (error) {
      if (error instanceof DatabaseError && nothingThere.has(error.sqlState ?? "")) return [];
      throw error;
    }
  }

  async #connection(connstr: string): Promise<Database> {
    if (this.#db !== undefined && this.#connstr === connstr && !this.#db.isBroken) return this.#db;
    await this.#db?.close();
    this.#db = await Database.open(connstr, { applicationName: "qadmin completion", autocommit: true });
    this.#connstr = connstr;
    await this.#db.execute(patience);
    return this.#db;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#db?.close();
  }
}

const plainText = (name: string): TypedName => ({ typed: name, plain: name });

const qualifiedName = (name: string): TypedName => ({ typed: quoteFqIdent(name), plain: name });

/** Dots need no quotes in this language: they join the parts of one name. */
export function typedName(name: string): TypedName {
  const isPlain = /^[a-z_]\w*(\.[a-z_]\w*)*$/.test(name) && name === name.toLowerCase();
  return { typed: isPlain ? name : `"${name.replaceAll('"', '""')}"`, plain: name };
}
