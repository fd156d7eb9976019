import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Database } from "@skytools/skytools";
import type { Cluster } from "@skytools/testbed";

/** Where Debian puts the server that its PgQ 3.5 packages are built for. */
const binDir = "/usr/lib/postgresql/15/bin";
const extensionDir = "/usr/share/postgresql/15/extension";
const plOnlyFile = "/usr/share/postgresql/15/contrib/pgq_pl_only.sql";

/** The server directory with the original PgQ installed (Debian's postgresql-15-pgq3), if this machine has it. */
export function originalPgqBinDir(): string | undefined {
  return existsSync(join(extensionDir, "pgq.control")) ? binDir : undefined;
}

/** A database with the C-backed PgQ 3.5. */
export async function compiledPgqDatabase(cluster: Cluster): Promise<string> {
  const connstr = await cluster.createDatabase("pgq_c");
  await using database = await Database.open(connstr);
  await database.execute("create extension pgq");
  await database.commit();
  return connstr;
}

/** A database with upstream's own build without the C module. */
export async function plOnlyPgqDatabase(cluster: Cluster): Promise<string> {
  const connstr = await cluster.createDatabase("pgq_pl_only");
  await using database = await Database.open(connstr);
  await database.execute(readFileSync(plOnlyFile, "utf8"));
  await database.commit();
  return connstr;
}
