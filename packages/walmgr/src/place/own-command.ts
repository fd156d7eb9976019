import { resolve } from "node:path";
import { shellCommand } from "../remote/shell-quote.ts";

/** How a server calls this program, quoted for a shell, with nothing left to its PATH. */
export function ownCommand(configFile: string): string {
  const script = process.argv[1];
  if (script === undefined) throw new Error("the program's own path is not known");
  return shellCommand([process.execPath, resolve(script), resolve(configFile)]);
}

/** Where segments lie that were fetched before the server asks for them, seen from its data directory. */
export const aheadDirectory = "pg_wal/walmgr_ahead";

/** Value of `restore_command`: a look at what is there already, which is cheap, before the program is started. */
export function restoreCommand(configFile: string): string {
  const command = ownCommand(configFile).replaceAll("%", "%%");
  return `mv "${aheadDirectory}/%f" "%p" 2>/dev/null || exec ${command} xrestore "%f" "%p" "%r"`;
}

/** Value of `recovery_end_command`: what was fetched ahead is of no use any more. */
export const recoveryEndCommand = `rm -rf ${aheadDirectory}`;
