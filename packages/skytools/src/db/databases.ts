import { ConfigError, SkytoolsError, UsageError } from "../errors.ts";
import type { Log } from "../log/log.ts";
import { quoteIdent } from "../quoting/quote-ident.ts";
import { maskConnectString, mergeConnectString } from "./connect-string.ts";
import { Database, type Isolation } from "./database.ts";

export interface DatabasesOptions {
  /** value of a config key, undefined when it is not set; asked again on each call, so a reload is seen */
  readonly setting: (key: string) => string | undefined;
  readonly log: Log;
  /** application_name of sessions whose connect string has none; normally the job name */
  readonly applicationName?: string;
  /** called after each physical connect */
  readonly onConnect?: (key: string, db: Database) => Promise<void>;
  /** called for each notification on a channel that listen() asked for: wake the loop */
  readonly onNotification?: (key: string, channel: string) => void;
  /** milliseconds; replaced in tests */
  readonly now?: () => number;
}

export interface GetDatabaseOptions {
  readonly autocommit?: boolean;
  readonly isolation?: Isolation;
  /** instead of the config key `key` */
  readonly connstr?: string;
  /** adds the config key `<profile>_extra_connstr` */
  readonly profile?: string;
  /** called after the physical connect, before the database is handed out */
  readonly onConnect?: (db: Database) => Promise<void>;
}

export interface DatabaseDefaults {
  readonly autocommit?: boolean;
  readonly isolation?: Isolation;
  /** instead of connection_lifetime; 0: never */
  readonly maxAgeSeconds?: number;
  /** called after the physical connect, before that of get() */
  readonly onConnect?: (db: Database) => Promise<void>;
}

type Level = Isolation | "autocommit";

interface Entry {
  readonly connstr: string;
  readonly level: Level;
  readonly openedAt: number;
  readonly database: Promise<Database>;
  readonly listening: Set<string>;
}

const defaultLifetimeSeconds = 1200;
const usualServerCheckSeconds = 60;

/** The connections of a job, one session for each key. Ask again in each round and keep no handle: a session ends
 * by age, by an error or by a changed connect string, and the next get() opens a new one.
 * Source: spec/framework.md 4.1, 4.2, 4.4. */
export class Databases {
  readonly #options: DatabasesOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #defaults = new Map<string, DatabaseDefaults>();
  readonly #channels = new Map<string, Set<string>>();
  readonly #branches = new Set<Databases>();
  readonly #trunk: Databases | undefined;
  #isEnded = false;

  constructor(options: DatabasesOptions, trunk?: Databases) {
    this.#options = options;
    this.#trunk = trunk;
  }

  /** More sessions with the same settings, for work that goes on beside this: the same key is another session there.
   * closeAll() and cancelAll() of this include them; whoever has them ends them. */
  branch(): Databases {
    const branch = new Databases(this.#options, this);
    this.#branches.add(branch);
    return branch;
  }

  /** Ends all sessions for good: whoever is still at work with them fails, and cannot connect again. */
  async end(): Promise<void> {
    this.#isEnded = true;
    await this.closeAll();
    if (this.#trunk !== undefined) this.#trunk.#branches.delete(this);
  }

  /** Sets what get() uses for a key when the caller does not say; what its `onConnect` does comes on top. */
  setDefaults(key: string, defaults: DatabaseDefaults): void {
    this.#defaults.set(key, { ...this.#defaults.get(key), ...defaults });
  }

  /** The session of a key, opened when there is none or its connect string has changed.
   * @throws ConfigError when the config has no such key or it is malformed, SkytoolsError ISOLATION_CONFLICT when
   * the open session has another level, CONNECTIONS_ENDED after end(); DatabaseError */
  async get(key: string, options: GetDatabaseOptions = {}): Promise<Database> {
    if (this.#isEnded)
      throw new SkytoolsError("CONNECTIONS_ENDED", `no more connections: "${key}" was ended`);
    const connstr = this.#connstr(key, options);
    const level = this.#level(key, options);
    let entry = this.#entries.get(key);
    if (entry !== undefined && (entry.connstr !== connstr || (await isBroken(entry)))) {
      await this.#drop(key, entry);
      entry = this.#entries.get(key);
    }
    if (entry === undefined) {
      entry = this.#open(key, connstr, level, options);
      this.#entries.set(key, entry);
    } else if (entry.level !== level) {
      throw new SkytoolsError(
        "ISOLATION_CONFLICT",
        `conflict in isolation_level: database "${key}" is open as ${entry.level}, asked for ${level}`,
        { hint: "Use another connection key for the other isolation level." },
      );
    }
    const database = await entry.database;
    await this.#followChannels(key, entry, database);
    return database;
  }

  #connstr(key: string, options: GetDatabaseOptions): string {
    const connstr = options.connstr ?? this.#options.setting(key);
    if (connstr === undefined) throw new ConfigError("connect string is not set", { key });
    if (options.profile === undefined) return connstr;
    const extraKey = `${options.profile}_extra_connstr`;
    try {
      return mergeConnectString(connstr, this.#options.setting(extraKey) ?? "");
    } catch (error) {
      throw malformed(error, `${key} with ${extraKey}`);
    }
  }

  #level(key: string, options: GetDatabaseOptions): Level {
    if (options.isolation !== undefined && options.autocommit !== true) return options.isolation;
    if (options.autocommit !== undefined) return options.autocommit ? "autocommit" : "read committed";
    const defaults = this.#defaults.get(key);
    if (defaults?.autocommit === true) return "autocommit";
    return defaults?.isolation ?? "read committed";
  }

  #open(key: string, connstr: string, level: Level, options: GetDatabaseOptions): Entry {
    const entry: Entry = {
      connstr,
      level,
      openedAt: this.#now(),
      database: this.#connect(key, connstr, level, options),
      listening: new Set(),
    };
    entry.database.catch(() => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    });
    return entry;
  }

  async #connect(key: string, connstr: string, level: Level, options: GetDatabaseOptions): Promise<Database> {
    const { log, applicationName, onConnect } = this.#options;
    log.debug(`connect to "${key}": ${maskConnectString(connstr)}`);
    let database: Database;
    try {
      database = await Database.open(connstr, {
        ...(applicationName === undefined ? {} : { applicationName }),
        ...(level === "autocommit" ? { autocommit: true } : { isolation: level }),
        serverCheckMs: this.#seconds("server_check_period", usualServerCheckSeconds) * 1000,
        onNotice: (notice) => log.debug(`${key}: ${notice.severity}: ${notice.message}`),
        onWarning: (message) => log.warn(`${key}: ${message}`),
        onNotification: ({ channel }) => this.#options.onNotification?.(key, channel),
      });
    } catch (error) {
      throw malformed(error, key);
    }
    try {
      await onConnect?.(key, database);
      await this.#defaults.get(key)?.onConnect?.(database);
      await options.onConnect?.(database);
    } catch (error) {
      await database.close();
      throw error;
    }
    return database;
  }

  /** Listens on a channel from the next get() of the key on; notifications call `onNotification`. */
  listen(key: string, channel: string): void {
    const channels = this.#channels.get(key) ?? new Set();
    this.#channels.set(key, channels.add(channel));
  }

  /** Ends listen() from the next get() of the key on; without a channel, on all. */
  unlisten(key: string, channel?: string): void {
    if (channel === undefined) this.#channels.delete(key);
    else this.#channels.get(key)?.delete(channel);
  }

  async #followChannels(key: string, entry: Entry, database: Database): Promise<void> {
    const wanted = this.#channels.get(key);
    if (wanted === undefined && entry.listening.size === 0) return;
    const statements: string[] = [];
    for (const channel of entry.listening)
      if (!wanted?.has(channel)) statements.push(`unlisten ${quoteIdent(channel)}`);
    for (const channel of wanted ?? [])
      if (!entry.listening.has(channel)) statements.push(`listen ${quoteIdent(channel)}`);
    if (statements.length === 0) return;
    for (const statement of statements) await database.execute(statement);
    await database.commit();
    entry.listening.clear();
    for (const channel of wanted ?? []) entry.listening.add(channel);
  }

  /** Ends the session of a key; its open transaction is rolled back. */
  async close(key: string): Promise<void> {
    const entry = this.#entries.get(key);
    if (entry !== undefined) await this.#drop(key, entry);
  }

  /** Ends all sessions: after an error, and at the end. */
  async closeAll(): Promise<void> {
    await Promise.all([
      ...[...this.#entries].map(([key, entry]) => this.#drop(key, entry)),
      ...[...this.#branches].map((branch) => branch.closeAll()),
    ]);
  }

  /** Asks the servers to cancel what the open sessions run: for a process that must end at once. Never fails. */
  async cancelAll(): Promise<void> {
    const databases = [...this.#entries.values()].map((entry) => entry.database);
    await Promise.allSettled([
      ...databases.map(async (database) => (await database).cancel()),
      ...[...this.#branches].map((branch) => branch.cancelAll()),
    ]);
  }

  /** Rolls back what is open on the sessions: after a failure, for whoever cleans up over the same sessions, and would otherwise
   * find a failed transaction, or commit what the failure has left. */
  async rollbackAll(): Promise<void> {
    const databases = await Promise.allSettled([...this.#entries.values()].map((entry) => entry.database));
    for (const opened of databases) if (opened.status === "fulfilled") await opened.value.rollback();
  }

  /** Ends the sessions that are older than connection_lifetime; called between rounds, never within one. One with a statement that
   * runs beside the rounds, a vacuum or the validation of a foreign key, stays until a later call finds it without. */
  async expire(): Promise<void> {
    for (const [key, entry] of this.#entries) {
      const maxAgeSeconds =
        this.#defaults.get(key)?.maxAgeSeconds ??
        this.#seconds("connection_lifetime", defaultLifetimeSeconds);
      if (maxAgeSeconds <= 0 || this.#now() - entry.openedAt < maxAgeSeconds * 1000) continue;
      if ((await entry.database.catch(() => undefined))?.isBusy === true) continue;
      this.#options.log.debug(`connection "${key}" has reached its lifetime`);
      await this.#drop(key, entry);
    }
  }

  #seconds(key: string, usual: number): number {
    const text = this.#options.setting(key);
    const seconds = text === undefined || text.trim() === "" ? usual : Number(text);
    if (Number.isFinite(seconds)) return seconds;
    throw new ConfigError(`"${text}" is not a number`, { key });
  }

  async #drop(key: string, entry: Entry): Promise<void> {
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
    const database = await entry.database.catch(() => undefined);
    await database?.close();
  }

  #now(): number {
    return this.#options.now?.() ?? performance.now();
  }
}

async function isBroken(entry: Entry): Promise<boolean> {
  const database = await entry.database.catch(() => undefined);
  return database === undefined || database.isBroken;
}

function malformed(error: unknown, key: string): unknown {
  return error instanceof UsageError
    ? new ConfigError(error.message, { key, hint: error.hint, cause: error })
    : error;
}
