import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Cluster } from "./cluster.ts";

/** Template databases by cluster and module list; a promise, so that two tests at once make one template. */
const templates = new WeakMap<Cluster, Map<string, Promise<string>>>();
let databaseCount = 0;

/** Creates a database that has the SQL modules installed, cloned from a template made once for each cluster and list.
 * @param modules in the order of installation, each with a built sql/dist/<module>.sql; empty for a plain database
 * @param name default: a name that is unique in this process
 * @returns the connect string of the new database */
export async function moduleDatabase(
  cluster: Cluster,
  modules: readonly string[],
  name?: string,
): Promise<string> {
  const template = await moduleTemplate(cluster, modules);
  databaseCount += 1;
  return cluster.createDatabase(name ?? `db${databaseCount}`, template);
}

/** The statements that install a SQL module. */
export async function moduleSql(module: string): Promise<string> {
  const dist = dirname(fileURLToPath(import.meta.resolve("@skytools/sql")));
  return readFile(join(dist, `${module}.sql`), "utf8");
}

function moduleTemplate(cluster: Cluster, modules: readonly string[]): Promise<string> {
  const ofCluster = templates.get(cluster) ?? new Map<string, Promise<string>>();
  templates.set(cluster, ofCluster);
  const key = modules.join(" ");
  let template = ofCluster.get(key);
  if (template === undefined) {
    template = makeTemplate(cluster, modules, `template_${ofCluster.size + 1}`);
    ofCluster.set(key, template);
  }
  return template;
}

async function makeTemplate(cluster: Cluster, modules: readonly string[], name: string): Promise<string> {
  await cluster.createDatabase(name);
  for (const module of modules) {
    try {
      await cluster.query(await moduleSql(module), [], name);
    } catch (error) {
      throw new Error(`cannot install module ${module} in ${name}: ${String(error)}`, { cause: error });
    }
  }
  await cluster.query(`alter database ${name} with allow_connections false`);
  return name;
}
