import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Cluster, startCluster, waitFor } from "@skytools/testbed";
import fc from "fast-check";
import { MessageSplitter } from "#src/db/replication-messages.js";
import { DatabaseError, ReplicationConnection } from "#src/index.js";

let cluster: Cluster;

before(async () => {
  cluster = await startCluster();
});

after(async () => {
  await cluster[Symbol.asyncDispose]();
});

function message(code: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(5);
  header[0] = code;
  header.writeUInt32BE(payload.length + 4, 1);
  return Buffer.concat([header, payload]);
}

test("messages come out whole however they are cut", () => {
  const messages = fc.array(fc.tuple(fc.integer({ min: 65, max: 122 }), fc.uint8Array({ maxLength: 40 })), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(messages, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (sent, cuts) => {
      const bytes = Buffer.concat(sent.map(([code, payload]) => message(code, payload)));
      const taken: [number, number[]][] = [];
      const splitter = new MessageSplitter((code, payload) => taken.push([code, [...payload]]));
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const end = at + cuts[turn % cuts.length]!;
        splitter.push(Buffer.from(bytes.subarray(at, end)));
        at = end;
      }
      assert.deepEqual(
        taken,
        sent.map(([code, payload]) => [code, [...payload]]),
      );
    }),
  );
});

test("large copy messages come out in pieces where these are wanted, everything else whole", () => {
  const sent = fc.array(fc.tuple(fc.constantFrom(0x64, 0x74), fc.uint8Array({ maxLength: 40 })), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(sent, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (messages, cuts) => {
      const bytes = Buffer.concat(messages.map(([code, payload]) => message(code, payload)));
      const taken: [number, number[]][] = [];
      let isBegun = false;
      const splitter = new MessageSplitter((code, payload) => taken.push([code, [...payload]]), {
        isWanted: () => true,
        take: (piece, isFirst, isLast) => {
          assert.equal(isFirst, !isBegun);
          if (isFirst) taken.push([0x64, []]);
          taken.at(-1)![1].push(...piece);
          isBegun = !isLast;
        },
      });
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const end = at + cuts[turn % cuts.length]!;
        const borrowed = Buffer.from(bytes.subarray(at, end));
        splitter.push(borrowed, true);
        borrowed.fill(0xff);
        at = end;
      }
      assert.equal(isBegun, false);
      assert.deepEqual(
        taken,
        messages.map(([code, payload]) => [code, [...payload]]),
      );
    }),
  );
});

test("a message that is shorter than its own length is refused, however it arrives", () => {
  for (const length of [0, 1, 3])
    for (const cut of [1, 4, 5, 7]) {
      const splitter = new MessageSplitter(() => {});
      const bytes = Buffer.from([0x5a, 0, 0, 0, length, 0x49, 0x5a, 0, 0, 0, 5, 0x49]);
      const push = () => {
        splitter.push(bytes.subarray(0, cut));
        splitter.push(bytes.subarray(cut));
      };
      assert.throws(push, new RegExp(`a message of length ${length}$`));
    }
});

test("commands return rows; a refused one leaves the connection usable", async () => {
  const connection = await ReplicationConnection.open(cluster.connstr());
  try {
    const identity = await connection.runForRow("IDENTIFY_SYSTEM");
    assert.match(identity.systemid ?? "", /^\d{15,}$/);
    assert.equal(connection.serverVersion, cluster.serverVersion);
    await assert.rejects(connection.run("NONSENSE"), (error: unknown) => {
      assert.ok(error instanceof DatabaseError);
      // A physical replication connection takes no SQL.
      assert.equal(error.sqlState, "0A000");
      return true;
    });
    assert.equal((await connection.runForRow("SHOW wal_level")).wal_level, "replica");
  } finally {
    connection.close();
  }
});

test("a stream gives its messages one by one, and fails when the server ends it", async () => {
  const connection = await ReplicationConnection.open(cluster.connstr());
  const { xlogpos } = await connection.runForRow("IDENTIFY_SYSTEM");
  const kinds = new Set<string>();
  const running = connection.run(`START_REPLICATION PHYSICAL ${xlogpos}`, {
    onCopyStart: (kind) => assert.equal(kind, "both"),
    onCopyData: (payload) => kinds.add(String.fromCharCode(payload[0]!)),
  });
  await cluster.query("create table t as select 1");
  await waitFor("WAL", () => kinds.has("w"));
  const failure = assert.rejects(running, /connection lost|terminating/);
  await cluster.stop("immediate");
  await failure;
  assert.notEqual(connection.lost, undefined);
  await cluster.start();
});
