import { linkSync, renameSync } from "node:fs";
import { link, rename } from "node:fs/promises";
import { crashPoint } from "../script/crash-point.ts";

/** A file has its name: from here on others see it. Every file that Skytools publishes gets its name by one of these functions. */
function named(): void {
  crashPoint("file.named");
}

/** As `rename` of node:fs/promises. */
export async function renameFile(from: string, to: string): Promise<void> {
  await rename(from, to);
  named();
}

/** As `renameSync` of node:fs. */
export function renameFileSync(from: string, to: string): void {
  renameSync(from, to);
  named();
}

/** As `link` of node:fs/promises. */
export async function linkFile(existing: string, name: string): Promise<void> {
  await link(existing, name);
  named();
}

/** As `linkSync` of node:fs. */
export function linkFileSync(existing: string, name: string): void {
  linkSync(existing, name);
  named();
}
