import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { setInterval } from "node:timers";
import { type Cluster, moduleDatabase, startCluster, waitFor } from "@skytools/testbed";
import { busyQueue, Configuration, newestTick } from "./fixture.js";
import { type MonitoredDaemon, monitored, patient } from "./monitored-daemon.js";

/** A client that is up to no good. */
interface Attacker {
  readonly kind: string;
  readonly socket: Socket;
  received: string;
}

describe("pgqd's HTTP endpoint under attack", () => {
  let cluster: Cluster;
  let daemon: MonitoredDaemon;
  const attackers: Attacker[] = [];

  before(async () => {
    cluster = await startCluster();
    await moduleDatabase(cluster, ["pgq"], "shop");
    await busyQueue(cluster, "shop");
    daemon = await monitored(await Configuration.forCluster(cluster), cluster, patient);
    await ticks(3);
  });
  after(async () => {
    for (const { socket } of attackers) socket.destroy();
    await daemon[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  function attack(kind: string): Attacker {
    const { hostname, port } = new URL(daemon.url);
    const attacker: Attacker = { kind, socket: connect(Number(port), hostname), received: "" };
    attacker.socket.on("error", () => undefined);
    attackers.push(attacker);
    return attacker;
  }

  /** Sends a text, and reads until the server hangs up. */
  async function exchange(text: string): Promise<string> {
    const attacker = attack("one request");
    attacker.socket.setEncoding("latin1").on("data", (chunk: string) => {
      attacker.received += chunk;
    });
    attacker.socket.write(text, "latin1");
    await waitFor("the server to hang up", () => attacker.socket.closed);
    return attacker.received;
  }

  /** Sends something ten times a second until the server hangs up. */
  function keepSending({ socket }: Attacker, text: string): void {
    const timer = setInterval(() => socket.write(text), 100);
    socket.on("close", () => clearInterval(timer));
  }

  function attackInAllWays(): void {
    const request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    for (let n = 0; n < 7; n += 1) {
      const trickling = attack("trickles");
      trickling.socket.write("GET / HTTP/1.1\r\nHost: ");
      keepSending(trickling, "x");
      const unread = attack("never reads");
      unread.socket.pause();
      unread.socket.write(request.repeat(3000));
      keepSending(unread, request);
      const endless = attack("sends without end");
      endless.socket.write(`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${"x".repeat(1 << 20)}`);
      keepSending(endless, "x");
      attack("says nothing").socket.resume();
    }
  }

  /** Waits for so many more ticks. */
  async function ticks(count: number): Promise<void> {
    const from = await newestTick(cluster, "shop");
    await waitFor(`${count} ticks`, async () => (await newestTick(cluster, "shop")) >= from + count, {
      onTimeout: () => daemon.program.outputTail(),
    });
  }

  it("ticks on while clients trickle, never read, send without end and say nothing, and hangs up on all of them", async () => {
    await waitFor("ticks while attackers are there", async () => {
      attackInAllWays();
      await ticks(5);
      return attackers.some(({ socket }) => !socket.closed);
    });
    await waitFor(
      "the server to hang up on everybody",
      () => attackers.every(({ socket }) => socket.closed),
      {
        onTimeout: () => attackers.flatMap(({ kind, socket }) => (socket.closed ? [] : kind)).join(", "),
      },
    );
    assert.equal((await daemon.get("/health")).status, 200);
    const [, peakKb] = /^VmHWM:\s+(\d+) kB$/m.exec(
      readFileSync(`/proc/${daemon.program.pid}/status`, "latin1"),
    )!;
    assert.ok(Number(peakKb) < 300_000, `${peakKb} kB`);
  });

  it("has no more than its 32 connections, however many are wanted", async () => {
    const crowd = Array.from({ length: 300 }, () => attack("one of many"));
    await waitFor("most of them to be turned away", () => {
      return crowd.filter(({ socket }) => socket.closed).length >= crowd.length - 32;
    });
    await ticks(3);
    for (const { socket } of crowd) socket.destroy();
    await waitFor("an answer", async () => (await daemon.get("/health")).status === 200);
  });

  it("answers requests that come at once one after the other, the last one too", async () => {
    const request = "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n";
    const last = "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    const answers = (await exchange(request.repeat(50) + last)).match(/^HTTP\/1\.1 \d+/gm);
    assert.deepEqual(answers, [...Array.from({ length: 50 }, () => "HTTP/1.1 404"), "HTTP/1.1 200"]);
  });

  it("refuses what is no request for one of its documents", async () => {
    const end = "HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    const cases: [text: string, answer: RegExp][] = [
      [`BREW / ${end}`, /^HTTP\/1\.1 400 /],
      [`PATCH / ${end}`, /^HTTP\/1\.1 405 /],
      [`CONNECT db:5432 ${end}`, /^(HTTP\/1\.1 4\d\d |$)/],
      [`GET /../../etc/passwd ${end}`, /^HTTP\/1\.1 404 /],
      [`GET /%2e%2e/%00 ${end}`, /^HTTP\/1\.1 404 /],
      [`GET //metrics ${end}`, /^HTTP\/1\.1 404 /],
      [`GET http://other/metrics ${end}`, /^HTTP\/1\.1 404 /],
      [`GET /${"x".repeat(20_000)} ${end}`, /^HTTP\/1\.1 431 /],
      [`GET /a\0b ${end}`, /^HTTP\/1\.1 40\d /],
      [
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        /^HTTP\/1\.1 400 /,
      ],
      ["GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", /^HTTP\/1\.1 413 /],
      ["POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n", /HTTP\/1\.1 405 /],
      ["GET /health\r\n\r\n", /^HTTP\/1\.1 (505|400) /],
      ["GET / HTTP/0.9\r\nHost: x\r\n\r\n", /^HTTP\/1\.1 (505|400) /],
      ["GET / HTTP/2.0\r\nHost: x\r\n\r\n", /^HTTP\/1\.1 (505|400) /],
      ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", /^HTTP\/1\.1 400 /],
    ];
    const answers = await Promise.all(cases.map(([text]) => exchange(text)));
    for (const [nr, [text, expected]] of cases.entries())
      assert.match(answers[nr]!, expected, text.slice(0, 60));
    const upgrade = `GET /health HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n`;
    assert.match(await exchange(upgrade), /^HTTP\/1\.1 200 /);
    await ticks(1);
    assert.doesNotMatch(daemon.program.stderrText(), /ERROR http/);
  });

  it("is there for this machine only, when no host is named", () => {
    assert.match(daemon.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  });
});
