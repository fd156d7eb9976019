import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "@skytools/testbed";
import { describeConnectString, parseConnectString, UsageError } from "#src/index.js";

test("defaults are libpq's, with Skytools' protections", () => {
  const parameters = parseConnectString("", {});
  assert.equal(parameters.user, userInfo().username);
  assert.equal(parameters.database, parameters.user);
  assert.deepEqual(parameters.targets, []);
  assert.equal(parameters.defaultPort, 5432);
  assert.equal(parameters.connectTimeoutMs, 15_000);
  assert.deepEqual(parameters.keepalive, { enabled: true, idleMs: 240_000 });
  assert.equal(parameters.ssl.mode, "prefer");
  assert.equal(parameters.targetSessionAttrs, "any");
  assert.equal(parseConnectString("user=joe", {}).database, "joe");
});

test("the connect string beats the environment, which beats the defaults", () => {
  const env = {
    PGHOST: "/run/x",
    PGPORT: "6000",
    PGDATABASE: "envdb",
    PGUSER: "envuser",
    PGAPPNAME: "envapp",
  };
  const fromEnv = parseConnectString("", env);
  assert.deepEqual(fromEnv.targets, [{ host: "/run/x", name: "/run/x", port: 6000 }]);
  assert.equal(fromEnv.database, "envdb");
  assert.equal(fromEnv.applicationName, "envapp");
  const given = parseConnectString("host=h port=1 dbname=d user=u application_name=a", env);
  assert.deepEqual(given.targets, [{ host: "h", name: "h", port: 1 }]);
  assert.deepEqual([given.database, given.user, given.applicationName], ["d", "u", "a"]);
  assert.equal(parseConnectString("fallback_application_name=f", {}).applicationName, "f");
  assert.equal(parseConnectString("dbname=''", { PGUSER: "u" }).database, "u");
});

test("several hosts, addresses and ports are paired", () => {
  assert.deepEqual(parseConnectString("host=a,b,/s port=1,,3", {}).targets, [
    { host: "a", name: "a", port: 1 },
    { host: "b", name: "b", port: 5432 },
    { host: "/s", name: "/s", port: 3 },
  ]);
  assert.deepEqual(
    parseConnectString("host=a,b port=7", {}).targets.map((target) => target.port),
    [7, 7],
  );
  assert.deepEqual(parseConnectString("host=name hostaddr=10.0.0.1", {}).targets, [
    { host: "10.0.0.1", name: "name", port: 5432 },
  ]);
  assert.throws(
    () => parseConnectString("host=a,b port=1,2,3", {}),
    /could not match 3 port numbers to 2 hosts/,
  );
  assert.throws(
    () => parseConnectString("host=a,b hostaddr=1.1.1.1", {}),
    /could not match 2 host names to 1 hostaddr/,
  );
});

test("bad values are refused by name", () => {
  const cases: [string, RegExp][] = [
    ["port=abc", /invalid integer value "abc" for connection option "port"/],
    ["host=h port=70000", /invalid port number: "70000"/],
    ["connect_timeout=soon", /"connect_timeout"/],
    ["sslmode=maybe", /invalid sslmode value: "maybe"/],
    ["target_session_attrs=primry", /invalid target_session_attrs value/],
    ["sslmode=require sslrootcert=system", /weak sslmode "require"/],
    ["require_auth=scram-sha-256", /"require_auth" is not supported/],
    ["channel_binding=require", /channel_binding/],
    ["requirepeer=postgres", /"requirepeer" is not supported/],
  ];
  for (const [text, message] of cases) {
    assert.throws(
      () => parseConnectString(text, {}),
      (error) => error instanceof UsageError && message.test(error.message),
      text,
    );
  }
});

test("connect_timeout: none, never under two seconds, zero is for ever", () => {
  assert.equal(parseConnectString("connect_timeout=0", {}).connectTimeoutMs, 0);
  assert.equal(parseConnectString("connect_timeout=-1", {}).connectTimeoutMs, 0);
  assert.equal(parseConnectString("connect_timeout=1", {}).connectTimeoutMs, 2000);
  assert.equal(parseConnectString("", { PGCONNECT_TIMEOUT: "30" }).connectTimeoutMs, 30_000);
});

test("a service fills in what the connect string leaves open", async () => {
  await using directory = await temporaryDirectory("service");
  const file = join(directory.path, "services");
  writeFileSync(
    file,
    "# all\n[other]\nhost=o\n\n[main]\nhost=s1,s2\nport=6432\nuser=fromfile\n[next]\nuser=n\n",
  );
  const env = { PGSERVICEFILE: file, PGUSER: "fromenv", PGDATABASE: "envdb" };
  const parameters = parseConnectString("service=main port=7", env);
  assert.deepEqual(
    parameters.targets.map(({ host, port }) => `${host}:${port}`),
    ["s1:7", "s2:7"],
  );
  assert.equal(parameters.user, "fromfile");
  assert.equal(parameters.database, "envdb");
  assert.equal(parseConnectString("", { ...env, PGSERVICE: "other" }).targets[0]?.host, "o");
  assert.throws(() => parseConnectString("service=none", env), /definition of service "none" not found/);
  writeFileSync(file, "[main]\nhoost=x\n");
  assert.throws(() => parseConnectString("service=main", env), /syntax error in service file ".*", line 2/);
  assert.throws(
    () => parseConnectString("service=main", { PGSERVICEFILE: `${file}.no` }),
    /service file ".*" not found/,
  );
});

test("the user's own service file is found at home, then the system's", async () => {
  await using directory = await temporaryDirectory("service");
  const system = join(directory.path, "etc");
  mkdirSync(system);
  writeFileSync(join(directory.path, ".pg_service.conf"), "[mine]\ndbname=m\n");
  writeFileSync(join(system, "pg_service.conf"), "[shared]\ndbname=s\n[mine]\ndbname=wrong\n");
  const env = { HOME: directory.path, PGSYSCONFDIR: system };
  assert.equal(parseConnectString("service=mine", env).database, "m");
  assert.equal(parseConnectString("service=shared", env).database, "s");
});

test("a connect string is described without its password", () => {
  assert.equal(describeConnectString("dbname=x host=h password=p"), "x@h");
  assert.equal(describeConnectString("postgresql://u:p@h:5433/x"), "x@h:5433");
  assert.equal(describeConnectString("dbname=x"), "x@local");
  assert.equal(describeConnectString("user=joe"), "joe@local");
  assert.equal(describeConnectString("service=main"), "service main@local");
  assert.equal(describeConnectString("junk password=p"), "invalid connect string");
});
