import { type Cluster, startCluster, TcpProxy, waitFor } from "@skytools/testbed";
import { databases, type NodeKey, type ServerKey, serverKeys } from "./cascade-model.ts";

/** The servers, each behind a proxy through which all of Skytools connects. */
export class Servers implements AsyncDisposable {
  readonly #clusters: ReadonlyMap<ServerKey, Cluster>;
  readonly #proxies: ReadonlyMap<ServerKey, TcpProxy>;
  readonly #crashes = new Map<ServerKey, Promise<void>>();

  private constructor(clusters: ReadonlyMap<ServerKey, Cluster>, proxies: ReadonlyMap<ServerKey, TcpProxy>) {
    this.#clusters = clusters;
    this.#proxies = proxies;
  }

  static async start(): Promise<Servers> {
    const settings = { log_statement: "none", log_connections: "off" };
    const clusters = new Map<ServerKey, Cluster>();
    const proxies = new Map<ServerKey, TcpProxy>();
    for (const key of serverKeys) {
      const cluster = await startCluster({ settings });
      clusters.set(key, cluster);
      proxies.set(key, await TcpProxy.start(cluster));
    }
    return new Servers(clusters, proxies);
  }

  cluster(key: ServerKey): Cluster {
    return this.#clusters.get(key)!;
  }

  /** Stops a server hard, as often as told, and starts it again. One crash of a server at a time.
   * @param isKilled by SIGKILL, otherwise an immediate shutdown */
  async crash(key: ServerKey, isKilled: boolean, whileDown: () => Promise<void>, times = 1): Promise<void> {
    const before = this.#crashes.get(key) ?? Promise.resolve();
    const crash = before.then(async () => {
      const cluster = this.cluster(key);
      for (let left = times; left > 0; left -= 1) {
        await (isKilled ? cluster.killHard() : cluster.stop("immediate"));
        await whileDown();
        await cluster.start();
      }
    });
    this.#crashes.set(
      key,
      crash.catch(() => {}),
    );
    return crash;
  }

  /** The database is as good as dead: whoever is connected is thrown out, and nobody gets in. */
  async closeDatabase(key: NodeKey): Promise<void> {
    const cluster = this.cluster(databases[key]);
    await waitFor(`database ${key} to be closed`, async () => {
      await cluster.query(`alter database ${key} allow_connections false`);
      return (await cluster.terminateBackends({ database: key })) === 0;
    });
  }

  async openDatabase(key: NodeKey): Promise<void> {
    const cluster = this.cluster(databases[key]);
    await waitFor(`database ${key} to be opened`, async () => {
      await cluster.query(`alter database ${key} allow_connections true`);
      return true;
    });
  }

  proxy(key: ServerKey): TcpProxy {
    return this.#proxies.get(key)!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const proxy of this.#proxies.values()) await proxy[Symbol.asyncDispose]();
    for (const cluster of this.#clusters.values()) await cluster[Symbol.asyncDispose]();
  }
}
