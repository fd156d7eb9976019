import assert from "node:assert/strict";
import { test } from "node:test";
import { startCluster, TcpProxy } from "@skytools/testbed";
import pg from "pg";

async function openClient(port: number): Promise<pg.Client> {
  const client = new pg.Client({ host: "127.0.0.1", port, user: "postgres", database: "postgres" });
  client.on("error", () => {});
  await client.connect();
  return client;
}

test("a proxy passes bytes, holds them back, and cuts connections", async () => {
  await using cluster = await startCluster();
  await using proxy = await TcpProxy.start(cluster);
  assert.equal(proxy.connstr("x"), `host=127.0.0.1 port=${proxy.port} dbname=x user=postgres`);
  const client = await openClient(proxy.port);
  assert.deepEqual((await client.query("select 1 as n")).rows, [{ n: 1 }]);

  /** What comes first: an answer through the proxy, or one by another way, which takes longer. */
  const first = (...answers: readonly Promise<unknown>[]) =>
    Promise.race([...answers, cluster.query("select 0 as n").then(() => "silence")]);

  proxy.pause();
  const held = client.query("select 2 as n").then(
    (result) => result.rows,
    (error: unknown) => error,
  );
  const late = openClient(proxy.port);
  assert.equal(await first(held, late), "silence");
  proxy.resume();
  assert.deepEqual(await held, [{ n: 2 }]);
  const second = await late;
  assert.equal(proxy.connectionCount, 2);

  const lost = assert.rejects(client.query("select pg_sleep(100)"));
  proxy.cut();
  await lost;
  assert.equal(proxy.connectionCount, 0);
  await assert.rejects(second.query("select 1"));
  const third = await openClient(proxy.port);
  assert.deepEqual((await third.query("select 3 as n")).rows, [{ n: 3 }]);

  proxy.strand();
  const stranded = third.query("select 4 as n").then(
    (result) => result.rows,
    (error: unknown) => error,
  );
  const fourth = await openClient(proxy.port);
  assert.deepEqual((await fourth.query("select 5 as n")).rows, [{ n: 5 }]);
  proxy.pause();
  proxy.resume();
  assert.deepEqual((await fourth.query("select 6 as n")).rows, [{ n: 6 }]);
  assert.equal(proxy.connectionCount, 2);
  assert.equal(await first(stranded), "silence");
  await fourth.end();
});
