import { readFileSync } from "node:fs";
import { homedir } from "node:os";

/** Replaces a leading `~` or `~user` by the home directory; a path of an unknown user stays as it is. */
export function expandHome(path: string): string {
  const parts = /^~([^/]*)(.*)$/s.exec(path);
  if (parts === null) return path;
  const [, user, rest] = parts;
  const home = user === "" ? homedir() : homeOf(user!);
  return home === undefined ? path : `${home.replace(/\/$/, "")}${rest}` || "/";
}

function homeOf(user: string): string | undefined {
  let accounts: string;
  try {
    accounts = readFileSync("/etc/passwd", "utf8");
  } catch {
    return undefined;
  }
  const account = accounts.split("\n").find((line) => line.startsWith(`${user}:`));
  return account?.split(":")[5];
}
