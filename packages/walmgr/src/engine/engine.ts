import { spawnSync } from "node:child_process";
import type { Settings } from "../place/settings.ts";
import type { ArchiveReport } from "../status/archive-status.ts";
import { WalError } from "../wal/wal-error.ts";
import type { EngineCommands } from "./engine-commands.ts";
import { pgBackRestCommands } from "./pgbackrest.ts";
import { walGCommands } from "./wal-g.ts";

/** An engine that is ready to be called. Each call gives the program our standard streams and returns its exit code. */
export interface Engine {
  readonly name: string;
  readonly commands: EngineCommands;
  run(words: readonly string[]): number;
  archivePush(path: string): number;
  /** What the engine says about its archive. @throws WalError exit code 2 */
  report(): ArchiveReport;
}

/** The engine that the configuration names; undefined: walmgr itself. */
export function engineOf(settings: Settings): Engine | undefined {
  if (settings.isEngineOwn) return undefined;
  const name = settings.config.get("archive_engine");
  const commands = name === "pgbackrest" ? pgBackRestCommands(settings) : walGCommands(settings);
  const run = (words: readonly string[]) => start(name, commands, words, "inherit").code;
  return {
    name,
    commands,
    run,
    // More than 125 would end the server's archiver instead of counting as a failure.
    archivePush: (path) => Math.min(run(commands.archivePush(path)), 125),
    report: () => {
      const { code, stdout } = start(name, commands, commands.listBackups(true), "pipe");
      if (code === 0) return commands.parseReport(stdout);
      throw new WalError(`${name} cannot tell about its archive (exit code ${code})`, { exitCode: 2 });
    },
  };
}

function start(
  name: string,
  { env }: EngineCommands,
  words: readonly string[],
  output: "inherit" | "pipe",
): { code: number; stdout: string } {
  const [program, ...args] = words;
  const run = spawnSync(program!, args, {
    stdio: ["ignore", output, "inherit"],
    env: { ...process.env, ...env },
    maxBuffer: 1 << 28,
  });
  if (run.error !== undefined) {
    throw new WalError(`${name} could not be started (${run.error.message})`, {
      exitCode: 2,
      hint: "Install it, or set engine_command to its path.",
    });
  }
  return { code: run.status ?? 2, stdout: run.stdout?.toString("utf8") ?? "" };
}
