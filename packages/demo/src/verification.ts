import { sequence, tables } from "./data-set.ts";
import type { Session } from "./session.ts";

export interface TableDigest {
  readonly table: string;
  readonly rows: bigint;
  readonly digest: string;
}

/** Row count and a digest over all rows of each table, computed by the server without regard to their order. */
export async function digestTables(db: Session): Promise<TableDigest[]> {
  const digests: TableDigest[] = [];
  for (const { name, sql } of tables) {
    const [row] = await db.run<{ rows: string; digest: string }>(
      `select count(*) as rows, coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) as digest from ${sql} t`,
    );
    if (row === undefined) throw new Error(`no digest of ${name}`);
    digests.push({ table: name, rows: BigInt(row.rows), digest: row.digest });
  }
  return digests;
}

/** The last value of the sequence on this node. */
export async function sequenceValue(db: Session): Promise<bigint> {
  const [row] = await db.run<{ last_value: string }>(`select last_value from ${sequence}`);
  if (row === undefined) throw new Error(`sequence ${sequence} is missing`);
  return BigInt(row.last_value);
}

/** What differs between the nodes, one line each; empty when all is as it should be. A subscriber's sequence may be ahead:
 * values are published in advance, so that no value is given out twice after a switch. */
export async function findDifferences(provider: Session, subscriber: Session): Promise<string[]> {
  const theirs = new Map((await digestTables(subscriber)).map((digest) => [digest.table, digest]));
  const differences: string[] = [];
  for (const ours of await digestTables(provider)) {
    const copy = theirs.get(ours.table);
    if (copy?.rows !== ours.rows) {
      differences.push(`${ours.table}: ${ours.rows} rows on the provider, ${copy?.rows} on the subscriber`);
    } else if (copy.digest !== ours.digest) {
      differences.push(`${ours.table}: ${ours.rows} rows on both nodes, but with different contents`);
    }
  }
  const [here, there] = [await sequenceValue(provider), await sequenceValue(subscriber)];
  if (there < here) differences.push(`${sequence}: ${here} on the provider, ${there} on the subscriber`);
  return differences;
}
