import { type Cluster, type RunningProgram, TcpProxy } from "@skytools/testbed";
import { type Configuration, clusterLines } from "./fixture.js";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** A pgqd with its HTTP endpoint on a free port, and periods short enough for tests. */
export class MonitoredDaemon implements AsyncDisposable {
  readonly program: RunningProgram;
  readonly url: string;
  readonly #configuration: Configuration;

  constructor(program: RunningProgram, url: string, configuration: Configuration) {
    this.program = program;
    this.url = url;
    this.#configuration = configuration;
  }

  async get(path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(`${this.url}${path}`, init);
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]();
    await this.#configuration[Symbol.asyncDispose]();
  }
}

/** Starts it on a cluster, or through a proxy before that. */
export async function monitored(
  configuration: Configuration,
  server: Cluster | TcpProxy,
  lines: readonly string[] = [],
): Promise<MonitoredDaemon> {
  const connection =
    server instanceof TcpProxy ? [`base_connstr = ${server.connstr("postgres")} connect_timeout=2`] : [];
  configuration.write([
    ...(server instanceof TcpProxy ? [] : clusterLines(server)),
    ...connection,
    ...lines,
    "http_listen = 0",
    "metrics_period = 0.2",
    "unhealthy_period = 1.5",
  ]);
  const program = configuration.start();
  return new MonitoredDaemon(program, await httpAddress(program), configuration);
}

/** Where it says that it listens. */
export async function httpAddress(program: RunningProgram): Promise<string> {
  const [, url] = await program.waitForOutput(/http: listening on (http:\S+)\/$/m);
  return url!;
}
