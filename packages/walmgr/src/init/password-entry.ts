import { existsSync, readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { parseConnectPairs, UsageError } from "@skytools/skytools";
import { replaceFile } from "../archive/durable-file.ts";

/** Writes the password of a replication connection into a password file: first, in place of older entries for the same.
 * @param password undefined: only remove them
 * @throws UsageError for a name with a line's end, which would make it two entries
 * Source: spec/walmgr.md 2; PostgreSQL manual, "The Password File" */
export async function setPasswordEntry(
  file: string,
  conninfo: string,
  password: string | undefined,
): Promise<void> {
  const pairs = parseConnectPairs(conninfo);
  const fields = [
    pairs.get("host") ?? "localhost",
    pairs.get("port") ?? "5432",
    "replication",
    pairs.get("user") ?? userInfo().username,
  ];
  if (fields.some((field) => /[\r\n]/.test(field)))
    throw new UsageError("a host or user with a line's end cannot stand in a password file");
  const escaped = (text: string) => text.replace(/[\\:]/g, "\\$&");
  const prefix = `${fields.map(escaped).join(":")}:`;
  const lines = existsSync(file)
    ? readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line !== "")
    : [];
  const others = lines.filter((line) => !line.startsWith(prefix));
  const own = password === undefined ? [] : [prefix + escaped(password)];
  await replaceFile(file, [...own, ...others].map((line) => `${line}\n`).join(""));
}
