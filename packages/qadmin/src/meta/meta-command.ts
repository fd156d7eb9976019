import type { Console } from "../console.ts";
import type { NameList } from "../grammar/grammar.ts";
import type { TextPrinter } from "../output/text-printer.ts";

/** What backslash commands change or ask. */
export interface MetaContext {
  readonly console: Console;
  /** undefined when results are JSON */
  readonly layout: TextPrinter | undefined;
  readonly write: (text: string) => void;
  readonly complain: (text: string) => void;
  isTimed: boolean;
  /** the newest command, complete */
  newest(): string;
  /** what is begun and not complete */
  begun(): string;
  discard(): void;
  /** Runs a complete command. @returns false when it failed */
  run(statement: string): Promise<boolean>;
  runFile(path: string): Promise<void>;
  /** @returns false when the user interrupted it */
  sleep(milliseconds: number): Promise<boolean>;
}

/** A backslash command. They exist in the interactive console only. */
export interface MetaCommand {
  readonly name: string;
  readonly args: string;
  readonly summary: string;
  /** what its argument completes to */
  readonly completes?: NameList | readonly string[];
  readonly run: (context: MetaContext, args: readonly string[]) => Promise<void>;
}
