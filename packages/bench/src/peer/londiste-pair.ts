import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Database } from "@skytools/skytools";
import {
  type Cluster,
  type RunningProgram,
  runProgram,
  startProgram,
  temporaryDirectory,
} from "@skytools/testbed";
import type { LondisteFlavour } from "./londiste.ts";

/** Name of the replicated queue. */
export const benchQueue = "bench";

export interface PairSettings {
  /** for both databases, before they become nodes */
  readonly sourceSql: string;
  readonly targetSql: string;
  /** keys of the workers' configuration, and of the ticker's; what is not given has its default */
  readonly workerKeys: readonly string[];
  readonly tickerKeys: readonly string[];
}

/** A root on one server and a leaf on the other, the ticker and both workers running; no tables in the set yet. */
export class LondistePair implements AsyncDisposable {
  readonly sourceConnstr: string;
  readonly targetConnstr: string;
  readonly from: Database;
  readonly to: Database;
  readonly #flavour: LondisteFlavour;
  readonly #rootFile: string;
  readonly #leafFile: string;
  readonly #programs: readonly RunningProgram[];
  readonly #directory: AsyncDisposable;

  private constructor(
    flavour: LondisteFlavour,
    databases: {
      readonly from: Database;
      readonly to: Database;
      readonly connstrs: readonly [string, string];
    },
    files: { readonly root: string; readonly leaf: string },
    programs: readonly RunningProgram[],
    directory: AsyncDisposable,
  ) {
    this.#flavour = flavour;
    this.from = databases.from;
    this.to = databases.to;
    [this.sourceConnstr, this.targetConnstr] = databases.connstrs;
    this.#rootFile = files.root;
    this.#leafFile = files.leaf;
    this.#programs = programs;
    this.#directory = directory;
  }

  /** @param name of the pair, another one for each on the same servers */
  static async start(
    flavour: LondisteFlavour,
    name: string,
    source: Cluster,
    target: Cluster,
    settings: PairSettings,
  ): Promise<LondistePair> {
    const sourceConnstr = await source.createDatabase(`${name}_source`);
    const targetConnstr = await target.createDatabase(`${name}_target`);
    const from = await Database.open(sourceConnstr, { autocommit: true });
    const to = await Database.open(targetConnstr, { autocommit: true });
    for (const [database, sql] of [
      [from, settings.sourceSql],
      [to, settings.targetSql],
    ] as const) {
      if (flavour.prepareSql !== "") await database.execute(flavour.prepareSql);
      await database.execute(sql);
    }
    const directory = await temporaryDirectory("bench-londiste");
    const write = (file: string, section: string, lines: readonly string[]): string => {
      const path = join(directory.path, `${file}.ini`);
      const common = [`pidfile = ${directory.path}/${file}.pid`, `logfile = ${directory.path}/${file}.log`];
      writeFileSync(path, `[${section}]\n${[...lines, ...common].join("\n")}\n`);
      return path;
    };
    const node = (part: string, connstr: string): string =>
      write(part, flavour.section, [
        `job_name = ${name}_${part}`,
        `db = ${connstr}`,
        `queue_name = ${benchQueue}`,
        ...settings.workerKeys,
      ]);
    const files = { root: node("root", sourceConnstr), leaf: node("leaf", targetConnstr) };
    const ticker = write("pgqd", "pgqd", [
      `base_connstr = ${sourceConnstr.replace(/dbname=\S+/, "")}`,
      `database_list = ${name}_source`,
      ...settings.tickerKeys,
    ]);
    await run(flavour, [files.root, "create-root", "root", sourceConnstr]);
    await run(flavour, [files.leaf, "create-leaf", "leaf", targetConnstr, `--provider=${sourceConnstr}`]);
    const programs = [
      startProgram(flavour.pgqd, [ticker]),
      startProgram(flavour.londiste, [files.root, "worker"]),
      startProgram(flavour.londiste, [files.leaf, "worker"]),
    ];
    const databases = { from, to, connstrs: [sourceConnstr, targetConnstr] as const };
    return new LondistePair(flavour, databases, files, programs, directory);
  }

  /** Runs a command of the root's, or of the leaf's, to its end. */
  async onRoot(...args: string[]): Promise<void> {
    await run(this.#flavour, [this.#rootFile, ...args]);
  }

  async onLeaf(...args: string[]): Promise<void> {
    await run(this.#flavour, [this.#leafFile, ...args]);
  }

  /** of the process that replays */
  get workerPid(): number {
    return this.#programs[2]!.pid;
  }

  /** True when all tables of the leaf are in sync. */
  async isInSync(): Promise<boolean> {
    const pending = await this.to.queryValue<bigint>(
      "select count(*) from londiste.table_info where local and merge_state is distinct from 'ok'",
    );
    return pending === 0n;
  }

  /** what the programs have said, for messages */
  outputTail(): string {
    return this.#programs.map((program) => program.outputTail()).join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#programs.toReversed()) await program[Symbol.asyncDispose]();
    await this.to.close();
    await this.from.close();
    await this.#directory[Symbol.asyncDispose]();
  }
}

async function run(flavour: LondisteFlavour, args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await runProgram(flavour.londiste, args);
  if (code !== 0) throw new Error(`${flavour.name}: ${args.join(" ")} exited ${code}\n${stdout}${stderr}`);
}
