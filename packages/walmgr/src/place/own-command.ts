import { resolve } from "node:path";
import { UsageError } from "@skytools/skytools";
import { shellCommand, shellQuote } from "../remote/shell-quote.ts";

/** How a server calls this program, quoted for a shell, with nothing left to its PATH.
 * @throws UsageError for a path with a line's end, which no setting of a server can have */
export function ownCommand(configFile: string): string {
  const script = process.argv[1];
  if (script === undefined) throw new Error("the program's own path is not known");
  const words = [process.execPath, resolve(script), resolve(configFile)];
  const broken = words.find((word) => /[\r\n]/.test(word));
  if (broken !== undefined)
    throw new UsageError(`${JSON.stringify(broken)}: a server cannot be told a path with a line's end in it`);
  return shellCommand(words);
}

/** Where segments lie that were fetched before the server asks for them, seen from its data directory. */
export const aheadDirectory = "pg_wal/walmgr_ahead";

/** Value of `restore_command`: a look at what is there already, which is cheap, before the program is started.
 * @param pauseFile while it is there nothing is handed out, also not from here; undefined: it is on another host */
export function restoreCommand(configFile: string, pauseFile: string | undefined): string {
  const escaped = (text: string) => text.replaceAll("%", "%%");
  const unlessPaused = pauseFile === undefined ? "" : `[ ! -e ${escaped(shellQuote(pauseFile))} ] && `;
  const ahead = `${unlessPaused}mv "${aheadDirectory}/%f" "%p" 2>/dev/null`;
  return `${ahead} || exec ${escaped(ownCommand(configFile))} xrestore "%f" "%p" "%r"`;
}

/** Value of `recovery_end_command`: what was fetched ahead is of no use any more. */
export const recoveryEndCommand = `rm -rf ${aheadDirectory}`;
