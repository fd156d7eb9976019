import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { type Cluster, moduleDatabase, runProgram, startCluster, waitFor } from "@skytools/testbed";
import { busyQueue, Configuration, clusterLines, newestTick } from "./fixture.js";

describe("pgqd as a process", () => {
  let cluster: Cluster;

  before(async () => {
    cluster = await startCluster();
    await moduleDatabase(cluster, ["pgq"], "db");
    await busyQueue(cluster, "db");
  });
  after(() => cluster[Symbol.asyncDispose]());

  async function ticksGoOn(): Promise<void> {
    const from = await newestTick(cluster, "db");
    await waitFor("ticks", async () => (await newestTick(cluster, "db")) >= from + 3);
  }

  function logged(configuration: Configuration): string {
    return existsSync(configuration.logfile) ? readFileSync(configuration.logfile, "utf8") : "";
  }

  it("prints version, help and a sample", async () => {
    const version = await runProgram("pgqd", ["-V"]);
    assert.match(version.stdout, /^pgqd version \d+\.\d+/);
    assert.equal(version.code, 0);
    assert.match((await runProgram("pgqd", ["--ini"])).stdout, /^logfile = /m);
    assert.match((await runProgram("pgqd", ["-h"])).stdout, /usage: pgqd/);
    const unknown = await runProgram("pgqd", ["-x"]);
    assert.deepEqual([unknown.code, unknown.stdout.startsWith("usage:")], [1, true]);
    assert.equal((await runProgram("pgqd", [])).code, 1);
  });

  it("names file, line and key of a mistake, and exits with 1", async () => {
    await using configuration = await Configuration.create(["ticker_period = often"]);
    const result = await configuration.run([]);
    assert.equal(result.code, 1);
    assert.match(
      result.stderr,
      /^pgqd: .*pgqd\.ini:2: \[pgqd\] ticker_period: "often" is not a number of seconds\n$/,
    );
  });

  it("ends in order on SIGINT, and at once on SIGTERM, without its pidfile", async () => {
    for (const [signal, code, message] of [
      ["SIGINT", 0, /LOG got SIGINT, shutting down/],
      ["SIGTERM", 1, /LOG got SIGTERM, fast exit/],
    ] as const) {
      await using configuration = await Configuration.forCluster(cluster);
      configuration.write([...clusterLines(cluster), `pidfile = ${configuration.pidfile}`]);
      await using daemon = configuration.start();
      await daemon.waitForOutput(/pgq version ok/);
      assert.equal(readFileSync(configuration.pidfile, "utf8"), `${daemon.pid}\n`);
      daemon.signal(signal);
      assert.deepEqual(await daemon.exit, { code, signal: null });
      assert.match(daemon.stderrText(), message);
      assert.ok(!existsSync(configuration.pidfile));
    }
  });

  it("writes lines that its monitoring knows", async () => {
    await using configuration = await Configuration.forCluster(cluster);
    await using daemon = configuration.start();
    await daemon.waitForOutput(/auto-detecting dbs/);
    assert.match(
      daemon.stderrText().split("\n")[0]!,
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \S+ \[\d+\] LOG Starting pgqd \d/,
    );
  });

  it("goes to the background, takes -r and -s, and refuses to run twice", async () => {
    await using configuration = await Configuration.forCluster(cluster);
    const lines = [
      ...clusterLines(cluster),
      `pidfile = ${configuration.pidfile}`,
      `logfile = ${configuration.logfile}`,
    ];
    configuration.write(lines);
    const started = await configuration.run(["-d"]);
    assert.deepEqual([started.code, started.stderr], [0, ""]);
    await ticksGoOn();
    const pid = Number(readFileSync(configuration.pidfile, "utf8"));

    const second = await configuration.run([]);
    assert.equal(second.code, 1);
    assert.match(second.stderr, /Pidfile exists, another process running\?/);

    renameSync(configuration.logfile, `${configuration.logfile}.1`);
    assert.deepEqual(await configuration.run(["-r"]), { code: 0, stdout: "", stderr: "SIGHUP sent\n" });
    await waitFor("the new log file", () => existsSync(configuration.logfile));
    assert.match(readFileSync(`${configuration.logfile}.1`, "utf8"), /got SIGHUP, reloading/);

    assert.deepEqual(await configuration.run(["-s"]), { code: 0, stdout: "", stderr: "SIGINT sent\n" });
    await waitFor("the daemon to end", () => !existsSync(configuration.pidfile));
    await waitFor("process to vanish", () => !existsSync(`/proc/${pid}`));
    const stopped = await configuration.run(["-s"]);
    assert.deepEqual([stopped.code, stopped.stderr.startsWith("pgqd is not running")], [0, true]);
  });

  it("tells before it goes to the background what would fail there", async () => {
    await using configuration = await Configuration.forCluster(cluster);
    assert.match((await configuration.run(["-d"])).stderr, /-d needs a pidfile/);
    configuration.write([...clusterLines(cluster), `pidfile = ${configuration.pidfile}`]);
    assert.match((await configuration.run(["-d"])).stderr, /-d needs a logfile or syslog/);
    configuration.write([
      ...clusterLines(cluster),
      `pidfile = ${configuration.pidfile}`,
      "logfile = /nonexistent/pgqd.log",
    ]);
    const result = await configuration.run(["-d"]);
    assert.equal(result.code, 1);
    assert.match(result.stderr, /cannot open the log file: .*\/nonexistent\/pgqd\.log/);
  });

  it("keeps its settings when the file is broken at SIGHUP, and takes the mended file", async () => {
    await using configuration = await Configuration.forCluster(cluster, ["database_list = none"]);
    await using daemon = configuration.start();
    await daemon.waitForOutput(/\[none\]/);
    configuration.write(["nonsense"]);
    daemon.signal("SIGHUP");
    await daemon.waitForOutput(/ERROR old settings stay: .*pgqd\.ini:2: "nonsense"/);
    configuration.write([...clusterLines(cluster), `logfile = ${configuration.logfile}`, "database_list ="]);
    daemon.signal("SIGHUP");
    await ticksGoOn();
    await waitFor("the log file", () => logged(configuration).includes("Unregister database: [none]"));
  });

  it("starts again after kill -9, over the stale pidfile", async () => {
    await using configuration = await Configuration.forCluster(cluster);
    configuration.write([...clusterLines(cluster), `pidfile = ${configuration.pidfile}`]);
    await using killed = configuration.start();
    await killed.waitForOutput(/pgq version ok/);
    killed.signal("SIGKILL");
    await killed.exit;
    await using daemon = configuration.start();
    await daemon.waitForOutput(/LOG stale pidfile removed/);
    await ticksGoOn();
  });

  it("ticks on after the server was restarted, says so once, and after terminated connections", async () => {
    await using configuration = await Configuration.forCluster(cluster);
    await using daemon = configuration.start();
    await ticksGoOn();
    await cluster.restart("immediate");
    await ticksGoOn();
    await daemon.waitForOutput(/LOG \[db\]: ticker: works again/);
    await cluster.terminateBackends({ database: "db" });
    await ticksGoOn();
  });

  it("does no harm beside a second pgqd, which goes on when the first dies", async () => {
    await using configuration = await Configuration.forCluster(cluster);
    await using one = configuration.start();
    await using two = configuration.start();
    await one.waitForOutput(/pgq version ok/);
    await two.waitForOutput(/pgq version ok/);
    await ticksGoOn();
    one.signal("SIGKILL");
    await one.exit;
    await ticksGoOn();
    const wrong = await cluster.query(
      `select from (select tick_id, tick_snapshot::text::pg_snapshot as snapshot,
                           lag(tick_snapshot::text::pg_snapshot) over (order by tick_id) as before from pgq.tick) as ticks
        where pg_snapshot_xmax(snapshot)::text::int8 < pg_snapshot_xmax(before)::text::int8`,
      [],
      "db",
    );
    assert.equal(wrong.length, 0);
    assert.doesNotMatch(one.stderrText() + two.stderrText(), /ERROR/);
  });

  it("ticks ten times a second, without a tail", async () => {
    await using configuration = await Configuration.forCluster(cluster);
    await using daemon = configuration.start();
    await daemon.waitForOutput(/pgq version ok/);
    const mean = await waitFor("a time in which the machine lets it", async () => {
      const from = await newestTick(cluster, "db");
      await waitFor("30 ticks", async () => (await newestTick(cluster, "db")) >= from + 30);
      const [row] = await cluster.query<{ mean: number }>(
        `select extract(epoch from max(tick_time) - min(tick_time))::float8 / (count(*) - 1) as mean
           from pgq.tick where tick_id > $1`,
        [from],
        "db",
      );
      return row!.mean < 0.2 && row!.mean;
    });
    assert.ok(mean > 0.05, `mean distance of ticks: ${mean} s`);
  });

  it("tells systemd of start, reload, life and stop", async () => {
    await using configuration = await Configuration.forCluster(cluster);
    const received = `${configuration.logfile}.notify`;
    const programs = `${configuration.file}.d`;
    mkdirSync(programs);
    writeFileSync(`${programs}/systemd-notify`, `#!/bin/sh\nshift; printf '%s\\n' "$@" >> ${received}\n`, {
      mode: 0o755,
    });
    await using daemon = configuration.start([], {
      PATH: `${programs}:${process.env.PATH}`,
      NOTIFY_SOCKET: "/nowhere",
      WATCHDOG_USEC: "100000",
    });
    const lines = () => (existsSync(received) ? readFileSync(received, "utf8").split("\n") : []);
    const said = (line: RegExp) =>
      waitFor(`${line} for systemd`, () => lines().some((each) => line.test(each)));
    await said(/^WATCHDOG=1$/);
    await said(/^STATUS=\{ticks: \d+, maint: \d+, retry: \d+\}$/);
    daemon.signal("SIGHUP");
    await said(/^RELOADING=1$/);
    daemon.signal("SIGINT");
    assert.deepEqual(await daemon.exit, { code: 0, signal: null });
    const states = lines().filter((line) => /^(READY|RELOADING|STOPPING)=/.test(line));
    assert.deepEqual(states, ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]);
  });

  it("hands lines to the system's log through logger", async () => {
    await using configuration = await Configuration.create([]);
    const received = `${configuration.logfile}.syslog`;
    const program = `${configuration.file}.d/logger`;
    mkdirSync(`${configuration.file}.d`);
    writeFileSync(program, `#!/bin/sh\necho "$@" > ${received}\ncat >> ${received}\n`, { mode: 0o755 });
    configuration.write([
      ...clusterLines(cluster).map((line) => line.replace("syslog = 0", "syslog = 1")),
      "syslog_ident = ticker",
      "syslog_facility = local3",
    ]);
    await using daemon = configuration.start(["-q"], { PATH: `${configuration.file}.d:${process.env.PATH}` });
    await waitFor(
      "lines in syslog",
      () => existsSync(received) && /pgq version/.test(readFileSync(received, "utf8")),
    );
    daemon.signal("SIGINT");
    await daemon.exit;
    await waitFor("logger's last line", () =>
      /^<158>got SIGINT, shutting down/m.test(readFileSync(received, "utf8")),
    );
    const text = readFileSync(received, "utf8");
    assert.match(text, new RegExp(`--tag ticker\\[${daemon.pid}\\]`));
    assert.match(text, /^<158>Starting pgqd/m);
    assert.equal(daemon.stderrText(), "");
  });
});
