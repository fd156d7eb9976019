import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import fc from "fast-check";
import { CopyReceiver } from "#src/db/copy-receiver.js";

function message(code: string, payload: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.write(code, "latin1");
  header.writeUInt32BE(payload.length + 4, 1);
  return Buffer.concat([header, payload]);
}

class FakeSocket extends EventEmitter {
  pause(): void {}
  resume(): void {}
}

test("whatever the cut into chunks, rows come to the receiver and all else to the driver", () => {
  const row = fc.record({ code: fc.constant("d"), payload: fc.uint8Array({ maxLength: 20 }) });
  const other = fc.record({
    code: fc.constantFrom("N", "S", "A"),
    payload: fc.uint8Array({ maxLength: 20 }),
  });
  const messages = fc.array(fc.oneof({ weight: 5, arbitrary: row }, { weight: 1, arbitrary: other }));
  fc.assert(
    fc.property(messages, fc.array(fc.nat()), fc.constantFrom("c", "E"), (sent, places, last) => {
      const all = [
        { code: "H", payload: Buffer.from([0, 0, 0]) },
        ...sent.map(({ code, payload }) => ({ code, payload: Buffer.from(payload) })),
        { code: last, payload: Buffer.alloc(last === "c" ? 0 : 7) },
        { code: "Z", payload: Buffer.from("T") },
      ];
      const socket = new FakeSocket();
      const forDriver: Buffer[] = [];
      socket.on("data", (chunk: Buffer) => forDriver.push(Buffer.from(chunk)));
      const rows: Buffer[] = [];
      const receiver = new CopyReceiver("copy x to stdout", (chunk) => {
        rows.push(Buffer.from(chunk));
        return true;
      });
      receiver.submit({ stream: socket, query: () => undefined } as never);

      const bytes = Buffer.concat(all.map(({ code, payload }) => message(code, payload)));
      const cuts = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].sort(
        (a, b) => a - b,
      );
      for (const [index, end] of cuts.slice(1).entries()) {
        socket.emit("data", Buffer.from(bytes.subarray(cuts[index], end)));
      }

      const isRow = ({ code }: { code: string }) => code === "d";
      assert.deepEqual(Buffer.concat(rows), Buffer.concat(all.filter(isRow).map(({ payload }) => payload)));
      assert.equal(receiver.bytes, Buffer.concat(rows).length);
      const others = all.filter((item) => !isRow(item)).map(({ code, payload }) => message(code, payload));
      assert.deepEqual(Buffer.concat(forDriver), Buffer.concat(others));
      assert.equal(receiver.isReceiving, false);
    }),
  );
});
