import { Database, pipeCopy } from "@skytools/skytools";

export interface CopyRate {
  readonly rows: number;
  readonly bytes: number;
  readonly seconds: number;
}

/** What plain PostgreSQL does: COPY accounts out of one server and into the other, then the primary key; into a table of
 * its own, which is dropped again. Measured while the writers write, as the product's copy is. */
export async function measurePlainCopy(
  providerConnstr: string,
  subscriberConnstr: string,
): Promise<CopyRate> {
  const provider = await Database.open(providerConnstr);
  const subscriber = await Database.open(subscriberConnstr);
  try {
    await subscriber.execute("create table plain_copy (like accounts)");
    const started = performance.now();
    const { bytes, rows } = await pipeCopy(
      provider,
      "copy accounts to stdout",
      subscriber,
      "copy plain_copy from stdin",
    );
    await subscriber.execute("alter table plain_copy add primary key (aid)");
    await subscriber.commit();
    const seconds = (performance.now() - started) / 1000;
    await subscriber.execute("drop table plain_copy");
    await subscriber.commit();
    return { rows: Number(rows), bytes, seconds };
  } finally {
    await provider.close();
    await subscriber.close();
  }
}
