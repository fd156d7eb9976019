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
    ? readFileSync(file, "latin1")
        .split("\n")
        .filter((line) => line !== "")
    : [];
  // Passwords of others stay as they are, byte for byte, whatever they are encoded in.
  const asBytes = (text: string) => Buffer.from(text, "utf8").toString("latin1");
  const others = lines.filter((line) => !line.startsWith(asBytes(prefix)));
  const own = password === undefined ? [] : [asBytes(prefix + escaped(password))];
  const content = [...own, ...others].map((line) => `${line}\n`).join("");
  await replaceFile(file, Buffer.from(content, "latin1"));
}
