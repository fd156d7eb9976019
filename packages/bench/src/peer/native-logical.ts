import { Database } from "@skytools/skytools";
import { type Cluster, waitFor } from "@skytools/testbed";
import { type LoadSize, tablesSql } from "../workload.ts";
import type { Replica } from "./replica.ts";

/** PostgreSQL's own publication and subscription. Source: PostgreSQL manual, "Logical Replication". */
export async function nativeReplica(source: Cluster, target: Cluster, size: LoadSize): Promise<Replica> {
  const sourceConnstr = await source.createDatabase("native_source");
  const targetConnstr = await target.createDatabase("native_target");
  const from = await Database.open(sourceConnstr, { autocommit: true });
  const to = await Database.open(targetConnstr, { autocommit: true });
  await from.execute(tablesSql(size));
  await from.execute("create publication bench for table accounts, marker");
  await to.execute(tablesSql(undefined));
  await to.execute(
    `create subscription bench connection '${sourceConnstr.replaceAll("'", "''")}' publication bench`,
  );
  await waitFor("native initial copy", async () => {
    const pending = await to.queryValue<bigint>(
      "select count(*) from pg_subscription_rel where srsubstate <> 'r'",
    );
    return pending === 0n;
  });
  return {
    name: "native logical replication",
    sourceConnstr,
    targetConnstr,
    async hold() {
      await to.execute("alter subscription bench disable");
      await waitFor("the native apply worker's end", async () => {
        const running = await to.queryValue<bigint>(
          "select count(*) from pg_stat_subscription where pid is not null",
        );
        return running === 0n;
      });
    },
    async seal() {},
    async release() {
      await to.execute("alter subscription bench enable");
    },
    peakMemoryMb: () => undefined,
    async [Symbol.asyncDispose]() {
      await to.execute("drop subscription bench");
      await to.close();
      await from.close();
    },
  };
}
