import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { createDirectorySync } from "@skytools/skytools";
import { replaceFile } from "../archive/durable-file.ts";

/** Adds a public key unless an identical line is there.
 * @returns whether it was added */
export async function addKey(file: string, keyLine: string): Promise<boolean> {
  // Bytes as characters: what others have written stays as it is.
  const line = Buffer.from(keyLine.trim(), "utf8").toString("latin1");
  const lines = existsSync(file)
    ? readFileSync(file, "latin1")
        .split("\n")
        .filter((each) => each !== "")
    : [];
  if (lines.includes(line)) return false;
  createDirectorySync(dirname(file), { recursive: true, mode: 0o700 });
  await replaceFile(file, Buffer.from(`${[...lines, line].join("\n")}\n`, "latin1"));
  return true;
}

/** Removes every line that holds a text.
 * @returns how many */
export async function removeKeys(file: string, text: string): Promise<number> {
  if (text === "" || !existsSync(file)) return 0;
  const lines = readFileSync(file, "latin1")
    .split("\n")
    .filter((each) => each !== "");
  const wanted = Buffer.from(text, "utf8").toString("latin1");
  const kept = lines.filter((line) => !line.includes(wanted));
  const content = kept.map((line) => `${line}\n`).join("");
  if (kept.length < lines.length) await replaceFile(file, Buffer.from(content, "latin1"));
  return lines.length - kept.length;
}
