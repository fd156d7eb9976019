import {
  type Database,
  isSecretConnectKey,
  parseConnectPairs,
  SkytoolsError,
  Snapshot,
} from "@skytools/skytools";

/** Finds out whether two connections reach the same database of the same server, whatever their connect strings say: same
 * oid and name, and a transaction of one appears in the other's snapshots exactly when it should. Both are left without an
 * open transaction.
 * @throws SkytoolsError CASCADE_LOCATION
 * Source: spec/cascade.md 9.3 step 6 */
export async function checkSameDatabase(local: Database, other: Database): Promise<void> {
  const [localName, otherName] = [await databaseIdentity(local), await databaseIdentity(other)];
  const before = await currentSnapshot(local);
  const txid = await other.queryValue<string>("select pg_current_xact_id()::text");
  await other.commit();
  const after = await currentSnapshot(local);
  const id = BigInt(txid!);
  const failure =
    (localName === otherName ? 0 : 1) + (before.contains(id) ? 2 : 0) + (after.contains(id) ? 0 : 4);
  if (failure === 0) return;
  throw new SkytoolsError(
    "CASCADE_LOCATION",
    `Public connect string points to different database than local connect string (fail=${failure}): ${other.label} is not ${local.label}`,
    { hint: "Give the connect string under which other nodes reach this database." },
  );
}

async function databaseIdentity(db: Database): Promise<string> {
  const row = await db.queryOne<{ identity: string }>(
    "select oid::text || ' ' || datname as identity from pg_catalog.pg_database where datname = current_database()",
  );
  await db.commit();
  return row.identity;
}

async function currentSnapshot(db: Database): Promise<Snapshot> {
  const text = await db.queryValue<string>("select pg_current_snapshot()::text");
  await db.commit();
  return Snapshot.parse(text!);
}

/** What speaks against a location that others are to use: it names no host, and so works from one machine only; or it holds a
 * secret, which whoever may read the node tables would see.
 * @throws UsageError for text that is no connect string */
export function locationWarnings(location: string): string[] {
  const keys = parseConnectPairs(location);
  const isLocal = !keys.has("host") && !keys.has("hostaddr") && !keys.has("service");
  const secret = [...keys.keys()].find(isSecretConnectKey);
  return [
    ...(isLocal ? ["No host= in public connect string, bad idea"] : []),
    ...(secret === undefined
      ? []
      : [
          `${secret} in public connect string: all readers of pgq_node.node_location see it; ~/.pgpass is the place for it`,
        ]),
  ];
}
