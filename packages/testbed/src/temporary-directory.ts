import { chown, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { runDirectory } from "./run-directory.ts";
import { serverAccount } from "./server-account.ts";

export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
}

/** An empty directory that disappears when disposed, and with the run's directory at the latest.
 * @param owner `servers`: it belongs to the account that servers run under, so that they can write to it */
export async function temporaryDirectory(
  prefix = "dir",
  owner: "us" | "servers" = "us",
): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(runDirectory(), `${prefix}-`));
  const account = serverAccount();
  if (owner === "servers" && account.isOther) await chown(path, account.uid, account.gid);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}
