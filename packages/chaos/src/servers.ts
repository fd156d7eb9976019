import { type Cluster, startCluster, TcpProxy } from "@skytools/testbed";
import { type ServerKey, serverKeys } from "./cascade-model.ts";

/** The servers, each behind a proxy through which all of Skytools connects. */
export class Servers implements AsyncDisposable {
  readonly #clusters: ReadonlyMap<ServerKey, Cluster>;
  readonly #proxies: ReadonlyMap<ServerKey, TcpProxy>;

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

  proxy(key: ServerKey): TcpProxy {
    return this.#proxies.get(key)!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const proxy of this.#proxies.values()) await proxy[Symbol.asyncDispose]();
    for (const cluster of this.#clusters.values()) await cluster[Symbol.asyncDispose]();
  }
}
