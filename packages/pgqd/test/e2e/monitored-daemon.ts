import { type Cluster, type RunningProgram, TcpProxy } from "@skytools/testbed";
import { type Configuration, clusterLines } from "./fixture.js";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** How soon figures are old and a database without ticks is called failing. */
export interface MonitorPeriods {
  readonly metricsSeconds: number;
  readonly unhealthySeconds: number;
}

/** For tests in which a server is in trouble. */
export const impatient: MonitorPeriods = { metricsSeconds: 0.2, unhealthySeconds: 1.5 };

/** For tests in which all is well, however slow the machine is. */
export const patient: MonitorPeriods = { metricsSeconds: 2, unhealthySeconds: 120 };

/** A pgqd with its HTTP endpoint on a free port. */
export class MonitoredDaemon implements AsyncDisposable {
  readonly program: RunningProgram;
  readonly url: string;
  readonly #configuration: Configuration;
  readonly #lines: readonly string[];

  constructor(program: RunningProgram, url: string, configuration: Configuration, lines: readonly string[]) {
    this.program = program;
    this.url = url;
    this.#configuration = configuration;
    this.#lines = lines;
  }

  /** Has it judge anew from now on. */
  setPeriods(periods: MonitorPeriods): void {
    this.#configuration.write([...this.#lines, ...periodLines(periods)]);
    this.program.signal("SIGHUP");
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
  periods: MonitorPeriods,
  lines: readonly string[] = [],
): Promise<MonitoredDaemon> {
  const connection =
    server instanceof TcpProxy ? [`base_connstr = ${server.connstr("postgres")} connect_timeout=2`] : [];
  const lasting = [
    ...(server instanceof TcpProxy ? [] : clusterLines(server)),
    ...connection,
    ...lines,
    "http_listen = 0",
  ];
  configuration.write([...lasting, ...periodLines(periods)]);
  const program = configuration.start();
  return new MonitoredDaemon(program, await httpAddress(program), configuration, lasting);
}

function periodLines({ metricsSeconds, unhealthySeconds }: MonitorPeriods): string[] {
  return [`metrics_period = ${metricsSeconds}`, `unhealthy_period = ${unhealthySeconds}`];
}

/** Where it says that it listens. */
export async function httpAddress(program: RunningProgram): Promise<string> {
  const [, url] = await program.waitForOutput(/http: listening on (http:\S+)\/$/m);
  return url!;
}
