import { spawnSync } from "node:child_process";
import type { Settings } from "../place/settings.ts";
import { WalError } from "../wal/wal-error.ts";
import { pgBackRestCommands } from "./pgbackrest.ts";
import { walGCommands } from "./wal-g.ts";

/** The command lines of a program that keeps WAL and backups in our place: words, never a shell's text. */
export interface EngineCommands {
  archivePush(path: string): readonly string[];
  archiveGet(name: string, destination: string): readonly string[];
  backup(kind: "full" | "incremental"): readonly string[];
  listBackups(isJson: boolean): readonly string[];
  restore(target: EngineRestore): readonly string[];
  verify(): readonly string[];
  expire(): readonly string[];
  /** environment beside our own */
  readonly env: Readonly<Record<string, string>>;
}

export interface EngineRestore {
  readonly dataDirectory: string;
  /** the engine's own name of a backup; undefined: the newest */
  readonly set: string | undefined;
}

/** An engine that is ready to be called. Each call gives the program our standard streams and returns its exit code. */
export interface Engine {
  readonly name: string;
  readonly commands: EngineCommands;
  run(words: readonly string[]): number;
  archivePush(path: string): number;
  archiveGet(name: string, destination: string): number;
}

/** The engine that the configuration names; undefined: walmgr itself. */
export function engineOf(settings: Settings): Engine | undefined {
  if (settings.isEngineOwn) return undefined;
  const name = settings.config.get("archive_engine");
  const commands = name === "pgbackrest" ? pgBackRestCommands(settings) : walGCommands(settings);
  const run = (words: readonly string[]) => runEngine(name, words, commands.env);
  return {
    name,
    commands,
    run,
    // More than 125 would end the server's archiver instead of counting as a failure.
    archivePush: (path) => Math.min(run(commands.archivePush(path)), 125),
    archiveGet: (walName, destination) => run(commands.archiveGet(walName, destination)),
  };
}

function runEngine(name: string, words: readonly string[], env: Readonly<Record<string, string>>): number {
  const [program, ...args] = words;
  const run = spawnSync(program!, args, {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...env },
  });
  if (run.error !== undefined) {
    throw new WalError(`${name} could not be started (${run.error.message})`, {
      exitCode: 2,
      hint: "Install it, or set engine_command to its path.",
    });
  }
  return run.status ?? 2;
}
