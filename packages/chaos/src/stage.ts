import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startProgram, temporaryDirectory, waitFor } from "@skytools/testbed";
import { Backlog } from "./backlog.ts";
import { databases, type NodeKey, nodeKeys } from "./cascade-model.ts";
import { writeConfiguration } from "./configuration.ts";
import { Daemons } from "./daemons.ts";
import { Recoveries } from "./recoveries.ts";
import { type Replayed, replayedInLogs } from "./replayed.ts";
import { Rotations } from "./rotations.ts";
import { Servers } from "./servers.ts";
import type { SmallDisk } from "./small-disk.ts";
import { TransactionLedger } from "./transaction-ledger.ts";

/** A command that hangs longer is killed, and run again. */
const attemptMs = 120_000;
/** Longest time until an operator has got what he wants, whatever fails meanwhile. */
const operationMs = 600_000;

/** Servers, daemons and files of one run. */
export class Stage implements AsyncDisposable {
  readonly servers: Servers;
  readonly directory: string;
  readonly daemons: Daemons;
  readonly ledger = new TransactionLedger();
  readonly backlog = new Backlog(this);
  readonly recoveries = new Recoveries();
  readonly rotations = new Rotations();
  /** Undefined where a disk of limited size cannot be had. */
  readonly smallDisk: SmallDisk | undefined;
  /** Connections of workers whose server fell silent until they were given up. */
  silencedConnections = 0;
  /** Set when the run is to end: what only waits ends then. */
  isEnding = false;

  private constructor(servers: Servers, directory: string, smallDisk: SmallDisk | undefined) {
    this.servers = servers;
    this.directory = directory;
    this.daemons = new Daemons(directory);
    this.smallDisk = smallDisk;
  }

  static async start(smallDisk: SmallDisk | undefined): Promise<Stage> {
    const servers = await Servers.start();
    const { path } = await temporaryDirectory("chaos");
    const stage = new Stage(servers, path, smallDisk);
    await writeConfiguration(path, servers, (key) => stage.connstr(key));
    return stage;
  }

  /** As Skytools connects: through the proxy. */
  connstr(key: NodeKey): string {
    return `${this.servers.proxy(databases[key]).connstr(key)} connect_timeout=5`;
  }

  /** As applications and those who look connect. */
  directConnstr(key: NodeKey): string {
    return this.servers.cluster(databases[key]).connstr(key);
  }

  query<R extends Record<string, unknown> = Record<string, unknown>>(
    key: NodeKey,
    sql: string,
    parameters: readonly unknown[] = [],
  ): Promise<R[]> {
    return this.servers.cluster(databases[key]).query<R>(sql, parameters, key);
  }

  /** Runs a command of a node again and again until it succeeds, as an operator would who knows that things fail just now.
   * @param killAfterMs the first attempt is killed at that time
   * @throws Error after the deadline, with what the command said last */
  async londiste(key: NodeKey, args: readonly string[], killAfterMs?: number): Promise<string> {
    let limitMs = killAfterMs ?? attemptMs;
    return waitFor(
      `londiste3 ${key}.ini ${args.join(" ")}`,
      async () => {
        const limit = limitMs;
        limitMs = attemptMs;
        return { stdout: await this.#attempt(key, args, limit) };
      },
      { timeoutMs: operationMs, intervalMs: 500, onTimeout: () => this.daemons.ended().join("\n") },
    ).then(({ stdout }) => stdout);
  }

  /** Runs a command of a node once.
   * @param killAfterMs it is killed at that time
   * @throws Error when it fails, with what it said */
  async tryLondiste(key: NodeKey, args: readonly string[], killAfterMs = attemptMs): Promise<string> {
    return this.#attempt(key, args, killAfterMs);
  }

  async #attempt(key: NodeKey, args: readonly string[], limitMs: number): Promise<string> {
    await using program = startProgram("londiste3", [`${key}.ini`, ...args], { cwd: this.directory });
    const timer = new AbortController();
    await Promise.race([
      program.exit,
      sleep(limitMs, undefined, { signal: timer.signal }).catch(() => undefined),
    ]);
    timer.abort();
    if (program.isRunning) throw new Error(`killed after ${limitMs} ms${program.outputTail()}`);
    const { code } = await program.exit;
    if (code !== 0) throw new Error(`exit code ${code}${program.outputTail()}`);
    return program.stdoutText();
  }

  /** Process ids of the copiers of a node that run. */
  copiers(key: NodeKey): number[] {
    const files = readdirSync(this.directory).filter((file) => file.startsWith(`${key}.pid.copy`));
    return [...new Set(files.flatMap((file) => this.#copierOf(file) ?? []))];
  }

  /** A number in an old file may be another process by now: ours is known by its directory. */
  #copierOf(file: string): number | undefined {
    try {
      const pid = Number(readFileSync(join(this.directory, file), "utf8"));
      return pid > 0 && readlinkSync(`/proc/${pid}/cwd`) === this.directory ? pid : undefined;
    } catch {
      return undefined;
    }
  }

  /** Ends of the logs of all daemons, for a failure. */
  logTails(): string {
    return [...this.#logs()]
      .map(([file, text]) => `-- ${file}\n${text.trimEnd().split("\n").slice(-15).join("\n")}`)
      .join("\n");
  }

  /** What the replay of all nodes has told so far. */
  replayed(): Replayed {
    const workers = nodeKeys.map((key) => this.#logs().get(`${key}.log`) ?? "");
    return replayedInLogs(workers, this.daemons.workerPids);
  }

  #logs(): Map<string, string> {
    const logs = readdirSync(this.directory).filter((file) => file.endsWith(".log"));
    return new Map(logs.map((file) => [file, readFileSync(join(this.directory, file), "utf8")]));
  }

  /** Waits, but not beyond the end of the run. */
  async pause(milliseconds: number): Promise<void> {
    const end = performance.now() + milliseconds;
    while (!this.isEnding && performance.now() < end) {
      await sleep(Math.min(200, Math.max(1, end - performance.now())));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.daemons[Symbol.asyncDispose]();
    await this.servers[Symbol.asyncDispose]();
    await this.smallDisk?.[Symbol.asyncDispose]();
  }
}
