import { after, afterEach, before } from "node:test";
import { Database, type DatabaseOptions } from "@skytools/skytools";
import { type Cluster, type ClusterOptions, moduleDatabase, startCluster } from "@skytools/testbed";

/** Databases and sessions of one test file, on a cluster of its own. Sessions are closed after each test. */
export interface Fixture {
  readonly cluster: Cluster;
  /** a fresh database with the file's modules, and an autocommit session in it */
  database(): Promise<Session>;
  /** a fresh database without any module */
  emptyDatabase(): Promise<Session>;
}

/** A session that can open more sessions in its database. */
export interface Session {
  readonly db: Database;
  readonly connstr: string;
  /** @param user default: the superuser */
  readonly another: (options?: DatabaseOptions & { readonly user?: string }) => Promise<Database>;
}

/** Starts a cluster before the tests of the calling file, and stops it after them. */
export function databaseFixture(modules: readonly string[], options: ClusterOptions = {}): Fixture {
  let cluster: Cluster | undefined;
  let emptyCount = 0;
  const sessions: Database[] = [];

  before(async () => {
    // Autovacuum counts as on, but does not come while a test looks at transaction numbers, locks or what is visible.
    const settings = { autovacuum_naptime: "1d", ...options.settings };
    cluster = await startCluster({ ...options, settings });
  });
  afterEach(async () => {
    for (const session of sessions.splice(0)) await session.close();
  });
  after(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  const running = (): Cluster => {
    if (cluster === undefined) throw new Error("the cluster is not running yet");
    return cluster;
  };
  const open = async (connstr: string, databaseOptions: DatabaseOptions = {}): Promise<Database> => {
    const session = await Database.open(connstr, { autocommit: true, ...databaseOptions });
    sessions.push(session);
    return session;
  };
  const session = async (connstr: string): Promise<Session> => ({
    connstr,
    db: await open(connstr),
    another: ({ user, ...rest } = {}) =>
      open(user === undefined ? connstr : connstr.replace(/ user=\S+/, ` user=${user}`), rest),
  });

  return {
    get cluster() {
      return running();
    },
    database: async () => session(await moduleDatabase(running(), modules)),
    emptyDatabase: async () => session(await running().createDatabase(`empty${++emptyCount}`)),
  };
}
