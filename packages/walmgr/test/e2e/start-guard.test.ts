import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { after, before, test } from "node:test";
import { type Cluster, startCluster } from "@skytools/testbed";
import { setStartGuard, startGuard } from "#src/standby/start-guard.js";

/* That no server starts on a guarded directory is what PostgreSQL does, so this belongs to each of its releases. */

let cluster: Cluster;

before(async () => {
  cluster = await startCluster();
  await cluster.query("create table t as select 1 as n");
  await cluster.stop();
});
after(() => cluster[Symbol.asyncDispose]());

for (const guard of ["rewinding", "rewound"] as const) {
  test(`no server starts on a directory that is ${guard}, and on the same directory one does when that is over`, async () => {
    const permissions = () => statSync(cluster.dataDirectory).mode & 0o777;
    const before = permissions();
    await setStartGuard(cluster.dataDirectory, guard);
    assert.equal(startGuard(cluster.dataDirectory), guard);
    await assert.rejects(cluster.start(), /data directory .* has invalid permissions/);
    await setStartGuard(cluster.dataDirectory, "none");
    assert.equal(permissions(), before);
    await cluster.start();
    assert.deepEqual(await cluster.query("select n from t"), [{ n: 1 }]);
    await cluster.stop();
  });
}
