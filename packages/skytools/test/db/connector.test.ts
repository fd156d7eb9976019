import assert from "node:assert/strict";
import { appendFileSync, chmodSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  addCertificates,
  type Cluster,
  certificateDirectory,
  startCluster,
  temporaryDirectory,
  waitFor,
} from "@skytools/testbed";
import { Database, DatabaseError, UsageError } from "#src/index.js";

let cluster: Cluster;
let port: number;

before(async () => {
  cluster = await startCluster({ tcp: true });
  addCertificates(cluster);
  writeFileSync(
    join(cluster.dataDirectory, "pg_hba.conf"),
    [
      "local all all trust",
      "hostssl all joe all cert",
      "hostssl all safe all scram-sha-256",
      "hostnossl all plain all md5",
      "host all ann all scram-sha-256",
      "host all postgres all trust",
    ].join("\n"),
  );
  await cluster.query("create role joe login; create role ann login password 'ann''s \\ secret'");
  await cluster.query("create role safe login password 'safe'; create role plain login password 'plain'");
  await cluster.restart();
  port = cluster.port;
});
after(() => cluster[Symbol.asyncDispose]());

const base = (more: string) => `dbname=postgres port=${port} ${more}`;

async function isEncrypted(connstr: string): Promise<boolean | undefined> {
  await using db = await Database.open(connstr);
  return await db.queryValue<boolean>("select ssl from pg_stat_ssl where pid = pg_backend_pid()");
}

test("sslmode: what is encrypted, what is tried next, what is refused", async () => {
  const local = base("host=localhost user=postgres");
  assert.equal(await isEncrypted(`${local} sslmode=disable`), false);
  assert.equal(await isEncrypted(`${local} sslmode=allow`), false);
  assert.equal(await isEncrypted(local), true);
  assert.equal(await isEncrypted(`${local} sslmode=require`), true);
  assert.equal(
    await isEncrypted(`${local} sslnegotiation=direct sslmode=require`).catch(() => "old server"),
    directAnswer(),
  );
  assert.equal(await isEncrypted(base(`host=${cluster.socketDir} user=postgres sslmode=require`)), false);
  assert.equal(await isEncrypted(base("host=localhost user=plain password=plain")), false);
  assert.equal(await isEncrypted(base("host=localhost user=safe password=safe sslmode=allow")), true);
  await assert.rejects(
    Database.open(base("host=localhost user=safe password=safe sslmode=disable")),
    isState("28000"),
  );
});

/** Direct TLS came with PostgreSQL 17. */
function directAnswer(): boolean | string {
  return cluster.serverVersion >= 170000 ? true : "old server";
}

const isState = (sqlState: string) => (error: unknown) => {
  assert.ok(error instanceof DatabaseError, String(error));
  assert.equal(error.sqlState, sqlState);
  return true;
};

test("verify-ca checks the authority, verify-full the host name too", async () => {
  const ca = join(certificateDirectory, "ca.crt");
  const other = join(certificateDirectory, "other-ca.crt");
  const at = (host: string, more: string) => isEncrypted(base(`host=${host} user=postgres ${more}`));
  assert.equal(await at("localhost", `sslmode=verify-full sslrootcert=${ca}`), true);
  assert.equal(await at("127.0.0.1", `sslmode=verify-ca sslrootcert=${ca}`), true);
  assert.equal(await at("localhost", `hostaddr=127.0.0.1 sslmode=verify-full sslrootcert=${ca}`), true);
  await assert.rejects(
    at("127.0.0.1", `sslmode=verify-full sslrootcert=${ca}`),
    /does not match certificate|IP: 127\.0\.0\.1/,
  );
  await assert.rejects(at("localhost", `sslmode=verify-ca sslrootcert=${other}`), /certificate/);
  await assert.rejects(at("localhost", `sslmode=require sslrootcert=${other}`), /certificate/);
  await assert.rejects(at("localhost", "sslmode=verify-full sslrootcert=system"), /certificate/);
  await assert.rejects(at("localhost", "sslmode=verify-ca sslrootcert=/none"), (error) => {
    assert.ok(error instanceof UsageError);
    assert.match(error.message, /root certificate file "\/none" does not exist/);
    return true;
  });
});

test("a client certificate logs in; a key that others can read is refused", async () => {
  await using directory = await temporaryDirectory("tls");
  const key = join(directory.path, "client.key");
  writeFileSync(key, readFileSync(join(certificateDirectory, "client.key")), { mode: 0o600 });
  const connstr = base(
    `host=localhost user=joe sslmode=require sslcert=${join(certificateDirectory, "client.crt")} sslkey=${key}`,
  );
  assert.equal(await isEncrypted(connstr), true);
  await assert.rejects(isEncrypted(`${connstr} sslcertmode=disable`), isState("28000"));
  chmodSync(key, 0o644);
  await assert.rejects(isEncrypted(connstr), /private key file .* has group or world access/);
});

test("passwords: inline, from a file, wrong, missing", async () => {
  await using directory = await temporaryDirectory("pgpass");
  const file = join(directory.path, "pgpass");
  writeFileSync(file, `localhost:${port}:postgres:ann:ann's \\\\ secret\n`, { mode: 0o600 });
  const ann = base("host=localhost user=ann");
  assert.equal(await isEncrypted(`${ann} password='ann\\'s \\\\ secret'`), true);
  assert.equal(
    await isEncrypted(`postgresql://ann:${encodeURIComponent("ann's \\ secret")}@localhost:${port}/postgres`),
    true,
  );
  assert.equal(await isEncrypted(`${ann} passfile=${file}`), true);
  await assert.rejects(isEncrypted(`${ann} password=wrong`), isState("28P01"));
  await assert.rejects(isEncrypted(`${ann} passfile=/none`), (error) => {
    assert.ok(error instanceof DatabaseError);
    assert.equal(
      error.message,
      `could not connect to database "postgres" at localhost:${port}: no password supplied`,
    );
    return true;
  });
  appendFileSync(file, "\n");
  chmodSync(file, 0o640);
  const warnings: string[] = [];
  await assert.rejects(
    Database.open(`${ann} passfile=${file}`, { onWarning: (text) => warnings.push(text) }),
  );
  assert.match(warnings[0] ?? "", /has group or world access/);
});

test("several hosts: the first that answers with the right role is taken", async () => {
  const dead = join(cluster.dataDirectory, "nothing-here");
  const hosts = (more: string) => base(`host=${dead},${cluster.socketDir} user=postgres ${more}`);
  await using db = await Database.open(hosts(""));
  assert.equal(db.label, `postgres on ${cluster.socketDir}:${port}`);
  for (const role of ["any", "primary", "read-write", "prefer-standby"]) {
    await using found = await Database.open(hosts(`target_session_attrs=${role}`));
    assert.equal(await found.queryValue("select 1"), 1);
  }
  await using shuffled = await Database.open(hosts("load_balance_hosts=random"));
  assert.equal(await shuffled.queryValue("select 1"), 1);
  await assert.rejects(Database.open(hosts("target_session_attrs=standby")), (error) => {
    assert.ok(error instanceof DatabaseError);
    assert.match(
      error.message,
      /nothing-here:\d+: connect ENOENT.*; .*: server is not in hot standby mode$/s,
    );
    return true;
  });
  await assert.rejects(
    Database.open(hosts("options='-c default_transaction_read_only=on' target_session_attrs=read-write")),
    /session is read-only/,
  );
});

test("a server that refuses the login ends the search for another host", async () => {
  const wrong = base(`host=localhost,${cluster.socketDir} user=ann password=wrong`);
  await assert.rejects(Database.open(wrong), isState("28P01"));
});

test("nobody there: the error names every place and says that a new attempt may help", async () => {
  await assert.rejects(Database.open("host=/none-1,/none-2 port=1,2 dbname=x user=u"), (error) => {
    assert.ok(error instanceof DatabaseError);
    assert.match(error.message, /^could not connect to database "x" at \/none-1:1: .*; \/none-2:2: /);
    assert.equal(error.retry, "reconnect");
    assert.match(error.hint ?? "", /Is the server running there/);
    return true;
  });
  await assert.rejects(
    Database.open(base(`host=${cluster.socketDir} dbname=nope user=postgres`)),
    (error) => {
      assert.ok(error instanceof DatabaseError);
      assert.equal(error.sqlState, "3D000");
      assert.match(error.hint ?? "", /Check dbname/);
      assert.equal(error.retry, "no");
      return true;
    },
  );
});

test("a server that takes the connection and says nothing runs into the timeout", async () => {
  const silent: Server = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const address = silent.address();
  assert.ok(address !== null && typeof address === "object");
  try {
    const connstr = `host=127.0.0.1 port=${address.port} dbname=x user=u sslmode=disable`;
    await assert.rejects(Database.open(connstr, { connectTimeoutMs: 200 }), (error) => {
      assert.ok(error instanceof DatabaseError);
      assert.match(error.message, /timeout expired while connecting$/);
      assert.equal(error.retry, "reconnect");
      return true;
    });
  } finally {
    silent.close();
  }
});

test("a cancel request reaches a server over TLS", async () => {
  await using db = await Database.open(base("host=localhost user=postgres sslmode=require"));
  const sleeping = db.query("select pg_sleep(60)");
  sleeping.catch(() => undefined);
  // Until it runs there is nothing to cancel.
  let isEnded = false;
  const end = () => {
    isEnded = true;
  };
  sleeping.then(end, end);
  await waitFor("the query to be cancelled", async () => {
    await db.cancel();
    return isEnded;
  });
  await assert.rejects(sleeping, isState("57014"));
});
