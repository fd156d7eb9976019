import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Database } from "@skytools/skytools";
import { startProgram, temporaryDirectory, waitFor } from "@skytools/testbed";
import type { Contestant, Sample } from "../scenario.ts";

export interface ConsumerCommand {
  readonly name: string;
  readonly command: string;
  /** before the configuration file */
  readonly args: readonly string[];
}

export interface ConsumerRun extends ConsumerCommand {
  readonly connstr: string;
  readonly queue: string;
  readonly events: number;
  /** tick to begin at */
  readonly start: bigint;
}

/** Debian's python3-pgq with a consumer that does nothing, if this machine has it. */
export function pythonConsumer(): ConsumerCommand | undefined {
  if (!existsSync("/usr/lib/python3/dist-packages/pgq/consumer.py")) return undefined;
  const program = fileURLToPath(new URL("../../program/idle_consumer.py", import.meta.url));
  return { name: "python-pgq", command: "/usr/bin/python3", args: [program] };
}

/** A consumer program over a filled queue. Its own statistics lines say how long it took: the start of the process does not
 * count. */
export class ConsumerProcess implements Contestant {
  readonly name: string;
  readonly #run: ConsumerRun;

  constructor(run: ConsumerRun) {
    this.name = run.name;
    this.#run = run;
  }

  async run(): Promise<Sample> {
    const { connstr, queue, events, start, command, args } = this.#run;
    await using database = await Database.open(connstr, { autocommit: true });
    await database.query("select pgq.register_consumer_at($1, 'idle', $2::int8)", [queue, start]);
    await using directory = await temporaryDirectory("consumer");
    const file = join(directory.path, "idle.ini");
    const lines = ["job_name = idle", `src_db = ${connstr}`, `queue_name = ${queue}`];
    writeFileSync(file, `[idle_consumer]\n${lines.join("\n")}\n`);
    await using program = startProgram(command, [...args, file], { env: { PYTHONDONTWRITEBYTECODE: "1" } });
    const done = await waitFor(
      "all events",
      () => {
        const batches = [...program.stderrText().matchAll(/\{count: (\d+), duration: ([\d.]+)/g)];
        const sum = (part: 1 | 2) => batches.reduce((total, batch) => total + Number(batch[part]), 0);
        return sum(1) >= events && { units: sum(1), seconds: sum(2) };
      },
      { timeoutMs: 600_000, intervalMs: 50, onTimeout: () => program.outputTail() },
    );
    const status = readFileSync(`/proc/${program.pid}/status`, "utf8");
    return { ...done, memoryMb: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024 };
  }
}
