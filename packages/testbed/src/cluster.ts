import { appendFileSync, chownSync, mkdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import pg from "pg";
import { createDataDirectory } from "./data-directory.ts";
import { freePort } from "./free-port.ts";
import { findBinaries, type PostgresBinaries } from "./postgres-binaries.ts";
import { onRunExit, runDirectory } from "./run-directory.ts";
import { serverAccount } from "./server-account.ts";
import { logTail, ServerProcess, type StopMode } from "./server-process.ts";
import type { SharedMemory } from "./shared-memory.ts";
import { waitFor } from "./wait-for.ts";

export type { StopMode } from "./server-process.ts";

export interface ClusterOptions {
  /** Server settings, as in postgresql.conf, without its quotes. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Also listens on 127.0.0.1, on a free port. */
  readonly tcp?: boolean;
  /** Directory with initdb and postgres; default SKYTOOLS_PG_BINDIR, else the npm binaries. */
  readonly binDir?: string;
  /** fsync and full page writes on: for tests about durability. */
  readonly durable?: boolean;
  /** A system identifier that no other cluster has; without it the clusters of a test run may share one. */
  readonly uniqueSystemIdentifier?: boolean;
  /** Further options of initdb, for example `--wal-segsize=1`. */
  readonly initdb?: readonly string[];
}

const startTimeoutMs = 150_000;

const defaultSettings = {
  fsync: "off",
  full_page_writes: "off",
  max_connections: "100",
  log_statement: "all",
  log_line_prefix: "%m [%p] %q%a %d ",
  log_timezone: "UTC",
  timezone: "UTC",
};

let clusterCount = 0;

/** Creates and starts a throwaway PostgreSQL server: trust authentication, superuser postgres, a unix socket in a
 * directory of its own. `await using` it: disposal stops the server and removes its data; the log stays when the process
 * fails. Several may run in one process.
 * @throws Error with the end of the server's log */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const cluster = prepareCluster(options);
  const isCopyAllowed = options.uniqueSystemIdentifier !== true;
  createDataDirectory(cluster.binDir, cluster.dataDirectory, isCopyAllowed, options.initdb);
  cluster.configureLocation(options);
  try {
    await cluster.start();
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
  return cluster;
}

/** A place for a server whose data directory comes from elsewhere, a backup for example: `dataDirectory` does not exist yet.
 * Before `start()` it wants `configureLocation()`. */
export function prepareCluster(options: ClusterOptions = {}): Cluster {
  const binaries = findBinaries(options.binDir);
  clusterCount += 1;
  const dir = join(runDirectory(), `c${clusterCount}`);
  mkdirSync(dir, { mode: 0o700 });
  const account = serverAccount();
  if (account.isOther) chownSync(dir, account.uid, account.gid);
  return new Cluster(dir, binaries, options.tcp ?? false);
}

/** A running or stopped PostgreSQL server with its own data directory. */
export class Cluster implements AsyncDisposable {
  readonly socketDir: string;
  readonly dataDirectory: string;
  /** The server's own log; every statement is in it. */
  readonly logFile: string;
  readonly binDir: string;
  /** As server_version_num: 180004 for 18.4. */
  readonly serverVersion: number;
  readonly #usesTcp: boolean;
  readonly #forgetExit: () => void;
  #port = 5432;
  #server: ServerProcess | undefined;
  /** of a server that was killed, and not started again */
  #leftMemory: SharedMemory | undefined;

  constructor(dir: string, binaries: PostgresBinaries, usesTcp: boolean) {
    this.socketDir = dir;
    this.dataDirectory = join(dir, "data");
    this.logFile = `${dir}.log`;
    this.binDir = binaries.binDir;
    this.serverVersion = binaries.serverVersion;
    this.#usesTcp = usesTcp;
    this.#forgetExit = onRunExit(() => this.#server?.killNow());
  }

  get port(): number {
    return this.#port;
  }

  /** The postmaster's process id, undefined while the server is stopped. */
  get pid(): number | undefined {
    return this.#server?.isRunning === true ? this.#server.pid : undefined;
  }

  /** A libpq connect string through the unix socket. */
  connstr(database = "postgres", extra: { readonly user?: string } = {}): string {
    return this.#connstr(this.socketDir, database, extra.user);
  }

  /** A libpq connect string over TCP, for a cluster started with `tcp: true`. */
  tcpConnstr(database = "postgres", extra: { readonly user?: string } = {}): string {
    if (!this.#usesTcp) throw new Error("the cluster was not started with tcp: true");
    return this.#connstr("127.0.0.1", database, extra.user);
  }

  #connstr(host: string, database: string, user = "postgres"): string {
    return `host=${host} port=${this.#port} dbname=${quoteConnectValue(database)} user=${quoteConnectValue(user)}`;
  }

  /** Runs one statement as superuser over a connection of its own, in the given database.
   * @returns the rows, values as node-postgres parses them */
  async query<R extends pg.QueryResultRow = pg.QueryResultRow>(
    sql: string,
    parameters: readonly unknown[] = [],
    database = "postgres",
  ): Promise<R[]> {
    const client = new pg.Client({ host: this.socketDir, port: this.#port, user: "postgres", database });
    // A server stopped meanwhile ends the connection: the query's own rejection tells that.
    client.on("error", () => {});
    await client.connect();
    try {
      // Without parameters the simple protocol is used, which takes several statements.
      const result =
        parameters.length === 0 ? await client.query<R>(sql) : await client.query<R>(sql, [...parameters]);
      return result.rows;
    } finally {
      await client.end();
    }
  }

  /** @returns the connect string of the new database */
  async createDatabase(name: string, template = "template1"): Promise<string> {
    await this.#onceUnused(`create database ${quoteName(name)} template ${quoteName(template)}`);
    return this.connstr(name);
  }

  /** Drops the database with whoever is connected to it; nothing happens when there is none. */
  async dropDatabase(name: string): Promise<void> {
    await this.#onceUnused(`drop database if exists ${quoteName(name)} with (force)`);
  }

  /** PostgreSQL waits five seconds for the sessions of a database to end: on a busy machine that may be too short. */
  async #onceUnused(sql: string): Promise<void> {
    const run = async () => {
      try {
        return await this.query(sql);
      } catch (error) {
        if ((error as { readonly code?: unknown }).code === objectInUse) return undefined;
        throw error;
      }
    };
    await waitFor(`the end of the sessions in the way of: ${sql}`, run, { isErrorFinal: true });
  }

  /** Appends settings to the configuration file; they count from the next start or reload(). */
  configure(settings: Readonly<Record<string, string>>): void {
    const lines = Object.entries(settings).map(
      ([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`,
    );
    appendFileSync(join(this.dataDirectory, "postgresql.conf"), lines.join(""));
  }

  /** Appends where the server listens, and the settings of a throwaway server. */
  configureLocation(options: ClusterOptions = {}): void {
    const durability = options.durable === true ? { fsync: "on", full_page_writes: "on" } : {};
    this.configure({
      unix_socket_directories: this.socketDir,
      listen_addresses: options.tcp === true ? "127.0.0.1" : "",
      ...defaultSettings,
      ...durability,
      ...options.settings,
    });
  }

  /** Makes the server read its configuration file again. */
  async reload(): Promise<void> {
    await this.query("select pg_reload_conf()");
  }

  /** Starts the stopped server and resolves when it accepts connections. */
  async start(): Promise<void> {
    if (this.#server?.isRunning === true) return;
    const deadline = performance.now() + startTimeoutMs;
    for (;;) {
      if (this.#usesTcp) await this.#chooseFreePort();
      const logStart = this.#logSize();
      this.#server = new ServerProcess(this.binDir, this.dataDirectory, this.logFile);
      if (await this.#server.becomesReady(startTimeoutMs)) {
        // The server has taken care of it.
        this.#leftMemory = undefined;
        return;
      }
      const isTransient = transientStartFailure.test(this.#logFrom(logStart));
      if (!isTransient || performance.now() > deadline) {
        throw new Error(`the server did not start: ${logTail(this.logFile)}`);
      }
    }
  }

  async #chooseFreePort(): Promise<void> {
    // A restarted server keeps its port: clients are to find it again.
    if (this.#port !== 5432 && !(await isPortTaken(this.#port))) return;
    this.#port = await freePort();
    this.configure({ port: String(this.#port) });
  }

  #logSize(): number {
    try {
      return readFileSync(this.logFile).length;
    } catch {
      return 0;
    }
  }

  #logFrom(offset: number): string {
    return readFileSync(this.logFile).subarray(offset).toString();
  }

  /** Stops the server and resolves when the postmaster has ended. Nothing happens when it is stopped. */
  async stop(mode: StopMode = "fast"): Promise<void> {
    await this.#server?.end(mode);
  }

  async restart(mode: StopMode = "fast"): Promise<void> {
    await this.stop(mode);
    await this.start();
  }

  /** SIGKILL for the postmaster, as a crash would have it; its children notice and end by themselves. */
  async killHard(): Promise<void> {
    if (this.#server?.isRunning !== true) return;
    this.#leftMemory = this.#server.sharedMemory;
    await this.#server.end("kill");
  }

  /** Ends client connections, all or those of a database or application.
   * @returns how many */
  async terminateBackends(
    where: { readonly database?: string; readonly applicationName?: string } = {},
  ): Promise<number> {
    const rows = await this.query<{ pid: number }>(
      // Materialized: PostgreSQL is free in the order of conditions, and terminating is one of them.
      `with wanted as materialized (
         select pid from pg_stat_activity
         where backend_type = 'client backend' and pid <> pg_backend_pid()
           and datname = coalesce($1, datname) and application_name = coalesce($2, application_name))
       select pid from wanted where pg_terminate_backend(pid)`,
      [where.database ?? null, where.applicationName ?? null],
    );
    return rows.length;
  }

  /** Stops the server and removes its data; the log stays until the process exits. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("immediate");
    this.#leftMemory?.remove();
    this.#forgetExit();
    await rm(this.socketDir, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** A port taken by somebody else between choosing and binding, and the children of a killed postmaster that still hold its
 * shared memory: both pass. */
const transientStartFailure = /Address already in use|shared memory block .* is still in use/;

/** Source: manual, "PostgreSQL Error Codes" */
const objectInUse = "55006";

function isPortTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Source: manual, "Connection Strings": values with spaces or quotes are quoted, backslash escapes. */
function quoteConnectValue(value: string): string {
  return /^[\w./-]+$/.test(value) ? value : `'${value.replace(/[\\']/g, "\\$&")}'`;
}
