import { Database, formatConnectString, type Job, type Switch, UsageError } from "@skytools/skytools";

/** A database that a command line names. */
export interface DatabaseTarget {
  /** how the user calls it */
  readonly name: string;
  readonly connstr: string;
}

/** Switches that say which databases. */
export const targetSwitches: readonly Switch[] = [
  { flags: "--user <name>", doc: "user to connect as" },
  { flags: "--host <name>", doc: "host or socket directory" },
  { flags: "--port <number>", doc: "port" },
  { flags: "--all", doc: "all databases of the server" },
];

/** Operands of a program that takes these switches: names of databases, or connect strings. */
export const targetArgs = "[DB...]";

/** The databases that were named, each once.
 * @throws UsageError when none or too much is named, DatabaseError when the server cannot be asked */
export async function databaseTargets(job: Job): Promise<DatabaseTarget[]> {
  const isAll = job.flag("all");
  if (isAll && job.args.length > 0) throw new UsageError("--all and names of databases exclude each other");
  if (!isAll && job.args.length === 0) {
    throw new UsageError("no database is named", { hint: "Name databases, or give --all." });
  }
  const port = job.option("port");
  if (port !== undefined && !/^\d{1,5}$/.test(port))
    throw new UsageError(`--port: "${port}" is not a number`);
  const names = isAll ? await allDatabases(job) : job.args;
  return [...new Set(names)].map((name) => ({ name: shownName(name), connstr: connectString(job, name) }));
}

/** A connect string is shown by its database alone: it may hold a password. */
function shownName(name: string): string {
  if (!isConnectString(name)) return name;
  return (
    /(?:^|\s)dbname\s*=\s*'?([^'\s]+)/.exec(name)?.[1] ?? /\/\/[^/]*\/([^?]+)/.exec(name)?.[1] ?? "(default)"
  );
}

function isConnectString(name: string): boolean {
  return name.includes("=") || /^postgres(ql)?:\/\//.test(name);
}

function connectString(job: Job, name: string): string {
  if (isConnectString(name)) return name;
  const pairs = [
    ["host", job.option("host")],
    ["port", job.option("port")],
    ["user", job.option("user")],
    ["dbname", name],
  ] as const;
  return formatConnectString(
    new Map(pairs.flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]))),
  );
}

async function allDatabases(job: Job): Promise<string[]> {
  await using db = await Database.open(connectString(job, "postgres"), { autocommit: true });
  const rows = await db.query<{ datname: string }>(
    "select datname from pg_database where not datistemplate and datallowconn order by 1",
  );
  return rows.map(({ datname }) => datname);
}
