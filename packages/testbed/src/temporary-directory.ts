import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { runDirectory } from "./run-directory.ts";

export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
}

/** An empty directory that disappears when disposed, and with the run's directory at the latest. */
export async function temporaryDirectory(prefix = "dir"): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(runDirectory(), `${prefix}-`));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
