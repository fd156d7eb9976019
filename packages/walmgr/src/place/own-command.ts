import { resolve } from "node:path";
import { shellCommand } from "../remote/shell-quote.ts";

/** How a server calls this program, quoted for a shell, with nothing left to its PATH. */
export function ownCommand(configFile: string): string {
  const script = process.argv[1];
  if (script === undefined) throw new Error("the program's own path is not known");
  return shellCommand([process.execPath, resolve(script), resolve(configFile)]);
}

/** Value of `restore_command`. */
export function restoreCommand(configFile: string): string {
  return `exec ${ownCommand(configFile).replaceAll("%", "%%")} xrestore "%f" "%p" "%r"`;
}
