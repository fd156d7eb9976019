import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Cluster } from "./cluster.ts";

/** A TCP listener on 127.0.0.1 before a cluster, which makes networks fail on demand. */
export class TcpProxy implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #connections: Set<readonly [Socket, Socket]>;
  readonly #stranded = new WeakSet<readonly [Socket, Socket]>();
  #isPaused = false;

  private constructor(server: Server, port: number, connections: Set<readonly [Socket, Socket]>) {
    this.#server = server;
    this.port = port;
    this.#connections = connections;
  }

  static async start(cluster: Cluster): Promise<TcpProxy> {
    const connections = new Set<readonly [Socket, Socket]>();
    const server = createServer({ pauseOnConnect: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the proxy has no port");
    const proxy = new TcpProxy(server, address.port, connections);
    server.on("connection", (client) => proxy.#accept(client, cluster));
    return proxy;
  }

  #accept(client: Socket, cluster: Cluster): void {
    const upstream = connect(`${cluster.socketDir}/.s.PGSQL.${cluster.port}`);
    const pair = [client, upstream] as const;
    this.#connections.add(pair);
    const close = () => {
      this.#connections.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of pair) {
      socket.on("error", close);
      socket.on("close", close);
    }
    if (!this.#isPaused) this.#forward(pair);
  }

  #forward([client, upstream]: readonly [Socket, Socket]): void {
    client.pipe(upstream);
    upstream.pipe(client);
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** A libpq connect string that goes through the proxy. */
  connstr(database = "postgres", extra: { readonly user?: string } = {}): string {
    return `host=127.0.0.1 port=${this.port} dbname=${database} user=${extra.user ?? "postgres"}`;
  }

  /** Resets all connections; new ones are accepted. */
  cut(): void {
    for (const [client, upstream] of this.#connections) {
      client.resetAndDestroy();
      upstream.destroy();
    }
  }

  /** Half-open: connections stay, new ones are accepted, no byte passes in either direction. */
  pause(): void {
    this.#isPaused = true;
    for (const pair of this.#connections) this.#hold(pair);
  }

  /** As a firewall that has forgotten them: the connections of now stay open at both ends, and no byte passes any more;
   * new ones work. */
  strand(): void {
    for (const pair of this.#connections) {
      this.#hold(pair);
      this.#stranded.add(pair);
    }
  }

  #hold([client, upstream]: readonly [Socket, Socket]): void {
    client.unpipe(upstream);
    upstream.unpipe(client);
    client.pause();
    upstream.pause();
  }

  /** What was held back since pause() is delivered. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    for (const pair of this.#connections) {
      if (!this.#stranded.has(pair)) this.#forward(pair);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }
}
