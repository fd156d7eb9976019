import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { createDirectorySync } from "@skytools/skytools";
import { replaceFile } from "../archive/durable-file.ts";

/** Adds a public key unless an identical line is there.
 * @returns whether it was added */
export async function addKey(file: string, keyLine: string): Promise<boolean> {
  const line = keyLine.trim();
  const lines = existsSync(file)
    ? readFileSync(file, "utf8")
        .split("\n")
        .filter((each) => each !== "")
    : [];
  if (lines.includes(line)) return false;
  createDirectorySync(dirname(file), { recursive: true, mode: 0o700 });
  await replaceFile(file, `${[...lines, line].join("\n")}\n`);
  return true;
}

/** Removes every line that holds a text.
 * @returns how many */
export async function removeKeys(file: string, text: string): Promise<number> {
  if (text === "" || !existsSync(file)) return 0;
  const lines = readFileSync(file, "utf8")
    .split("\n")
    .filter((each) => each !== "");
  const kept = lines.filter((line) => !line.includes(text));
  if (kept.length < lines.length) await replaceFile(file, kept.map((line) => `${line}\n`).join(""));
  return lines.length - kept.length;
}
