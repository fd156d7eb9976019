import type { RecoveryTarget } from "../restore/recovery-target.ts";
import type { ArchiveReport } from "../status/archive-status.ts";

/** The command lines of a program that keeps WAL and backups in our place: words, never a shell's text. */
export interface EngineCommands {
  /** what a new cluster needs before anything can be archived; undefined: nothing */
  setup(): readonly string[] | undefined;
  archivePush(path: string): readonly string[];
  archiveGet(name: string, destination: string): readonly string[];
  /** exit code of `archiveGet` that says "not there", and nothing else */
  readonly absentCode: number;
  backup(kind: "full" | "incremental"): readonly string[];
  listBackups(isJson: boolean): readonly string[];
  /** Reads what `listBackups(true)` printed. */
  parseReport(text: string): ArchiveReport;
  restore(target: EngineRestore): readonly string[];
  verify(): readonly string[];
  expire(): readonly string[];
  /** environment beside our own */
  readonly env: Readonly<Record<string, string>>;
}

export interface EngineRestore {
  readonly dataDirectory: string;
  /** the engine's own name of a backup; undefined: the newest that fits */
  readonly set: string | undefined;
  readonly target: RecoveryTarget;
  readonly isStandby: boolean;
  /** `OLD=NEW`, as the engine wants it */
  readonly tablespaceMoves: readonly string[];
}
