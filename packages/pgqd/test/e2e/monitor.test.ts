import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { type Cluster, moduleDatabase, startCluster, waitFor } from "@skytools/testbed";
import { busyQueue, Configuration, clusterLines } from "./fixture.js";
import { httpAddress, impatient, type MonitoredDaemon, monitored } from "./monitored-daemon.js";

describe("pgqd's metrics and health", () => {
  let cluster: Cluster;
  let daemon: MonitoredDaemon;

  before(async () => {
    cluster = await startCluster();
    await moduleDatabase(cluster, ["pgq"], "shop");
    await busyQueue(cluster, "shop", 'or"ders');
    await cluster.query(`select pgq.register_consumer('or"ders', 'slow')`, [], "shop");
    await cluster.query(
      `select pgq.insert_event('or"ders', 't', 'd') from generate_series(1, 50)`,
      [],
      "shop",
    );
    await cluster.createDatabase("plain");
    daemon = await monitored(await Configuration.forCluster(cluster), cluster, impatient);
  });
  after(async () => {
    await daemon[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  async function metrics(): Promise<string> {
    return (await daemon.get("/metrics")).text;
  }

  /** One of the figures in a document. */
  function metric(text: string, name: string, labels: string): number | undefined {
    const line = text.split("\n").find((each) => each.startsWith(`${name}{${labels}} `));
    return line === undefined ? undefined : Number(line.split(" ").at(-1));
  }

  it("tell of databases, queues, consumers and tables", async () => {
    const ofQueue = 'database="shop",queue="or\\"ders"';
    const text = await waitFor(
      "pending events of a healthy database",
      async () => {
        const document = await metrics();
        const pending = metric(document, "pgq_consumer_pending_events", `${ofQueue},consumer="slow"`)!;
        const isHealthy = metric(document, "pgqd_database_healthy", 'database="shop"') === 1;
        return pending >= 49 && isHealthy && document;
      },
      { onTimeout: () => daemon.program.outputTail() },
    );
    for (const name of [
      "pgq_queue_tick_age_seconds",
      "pgq_queue_events_per_second",
      "pgq_queue_rotation_age_seconds",
      "pgq_queue_rotation_period_seconds",
    ]) {
      assert.ok(metric(text, name, ofQueue)! >= 0, name);
    }
    assert.ok(metric(text, "pgq_consumer_lag_seconds", `${ofQueue},consumer="slow"`)! > 0);
    assert.ok(metric(text, "pgqd_last_tick_age_seconds", 'database="shop"')! < 30);
    assert.ok(metric(text, "pgqd_ticks_total", 'database="shop"')! > 0);
    for (const table of ["pgq.tick", "pgq.subscription"]) {
      assert.ok(metric(text, "pgq_table_dead_rows", `database="shop",table="${table}"`)! >= 0, table);
    }
    assert.equal(metric(text, "pgqd_database_healthy", 'database="plain"'), undefined);
  });

  it("are OpenMetrics: families whole and once, described before their samples, with an end", async () => {
    const { text, headers } = await daemon.get("/metrics");
    assert.match(headers.get("content-type")!, /^application\/openmetrics-text; version=1\.0\.0/);
    assert.ok(text.endsWith("\n# EOF\n"));
    const seen = new Set<string>();
    let family = "";
    for (const line of text.trimEnd().split("\n").slice(0, -1)) {
      const [, type] = /^# TYPE (\w+) (?:gauge|counter|info)$/.exec(line) ?? [];
      if (type !== undefined) {
        assert.ok(!seen.has(type), `${type} comes twice`);
        seen.add(type);
        family = type;
      } else if (!line.startsWith("# ")) {
        const [, name] =
          /^(\w+?)(?:_total|_info)?(?:\{(?:\w+="(?:[^"\\\n]|\\["\\n])*",?)+\})? -?[\d.e+-]+$/.exec(line) ??
          [];
        assert.equal(name, family, line);
      } else {
        assert.match(line, new RegExp(`^# (HELP|UNIT) ${family} `));
      }
    }
  });

  it("see an open transaction grow old", async () => {
    const age = async () => metric(await metrics(), "pgq_longest_transaction_seconds", 'database="shop"');
    const sleeper = cluster.query("select pg_sleep(3600)", [], "shop").catch(() => undefined);
    await waitFor("the open transaction", async () => (await age())! > 1);
    await cluster.query(
      "select pg_cancel_backend(pid) from pg_stat_activity where query like '%sleep(3600)' and pid <> pg_backend_pid()",
    );
    await sleeper;
    await waitFor("its end", async () => (await age())! < 1);
  });

  it("say 503 and why while a database cannot be ticked, and 200 when it can again", async () => {
    const health = async (code: number) => {
      const { status, text } = await daemon.get("/health");
      return status === code && (JSON.parse(text) as { status: string; reasons?: string[] });
    };
    await waitFor("health", () => health(200));
    await cluster.stop("fast");
    const sick = await waitFor("503 and why", async () => {
      const report = await health(503);
      const why = report ? report.reasons?.[0] : undefined;
      return why !== undefined && /^\[shop\]: not ticked for \d+ s: .*(connect|terminat)/.test(why) && report;
    });
    assert.equal(sick.status, "failing");
    assert.doesNotMatch(sick.reasons!.join(), /plain/);
    await cluster.start();
    assert.equal((await waitFor("health", () => health(200))).status, "ok");
  });

  it("can only be read", async () => {
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      const answer = await daemon.get("/health", { method });
      assert.deepEqual([answer.status, answer.headers.get("allow")], [405, "GET, HEAD"], method);
    }
    assert.equal((await daemon.get("/nothing")).status, 404);
    const head = await daemon.get("/metrics?a=b", { method: "HEAD" });
    assert.deepEqual([head.status, head.text], [200, ""]);
    assert.equal(head.headers.get("cache-control"), "no-store");
    const { status } = await daemon.get("/", { headers: { "x-long": "x".repeat(9000) } });
    assert.equal(status, 431);
  });

  it("hang up on who sends a body, who never ends a request, and who is one too many", async () => {
    const { hostname, port } = new URL(daemon.url);
    const raw = async (text: string) => {
      const socket = connect(Number(port), hostname).setEncoding("utf8");
      socket.on("error", () => undefined);
      let received = "";
      socket.on("data", (chunk: string) => {
        received += chunk;
      });
      socket.write(text);
      await once(socket, "close");
      return received;
    };
    assert.match(
      await raw("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n"),
      /^HTTP\/1\.1 413 /,
    );
    assert.match(await raw("GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: "), /^HTTP\/1\.1 408 /);

    const idle = Array.from({ length: 40 }, () => connect(Number(port), hostname));
    const closed = idle.map((socket) =>
      once(
        socket.on("error", () => undefined),
        "close",
      ),
    );
    await Promise.race(closed);
    for (const socket of idle) socket.destroy();
    await Promise.all(closed);
    await waitFor("an answer", async () => (await daemon.get("/health")).status === 200);
  });

  it("move, go and come with the settings, and do not stop ticks when the port is taken", async () => {
    const taken = new URL(daemon.url).port;
    await using configuration = await Configuration.forCluster(cluster, [`http_listen = ${taken}`]);
    await using second = configuration.start();
    await second.waitForOutput(/ERROR http: listen EADDRINUSE/);
    await second.waitForOutput(/LOG \[shop\]: pgq version ok/);
    configuration.write([...clusterLines(cluster), "http_listen = [::1]:0"]);
    second.signal("SIGHUP");
    const url = await httpAddress(second);
    assert.equal((await fetch(`${url}/metrics`)).status, 200);
    configuration.write(clusterLines(cluster));
    second.signal("SIGHUP");
    await waitFor("the end of the endpoint", () =>
      fetch(`${url}/health`).then(
        () => false,
        () => true,
      ),
    );
  });
});
