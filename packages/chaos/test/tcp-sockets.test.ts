import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { test } from "node:test";
import { waitFor } from "@skytools/testbed";
import { isHeld, socketsTo } from "#src/tcp-sockets.js";

test("a connection counts as held until the process closes it", {
  skip: process.platform !== "linux",
}, async () => {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = connect(port, "127.0.0.1");
  await once(client, "connect");
  const held = socketsTo([port], process.pid);
  assert.equal(held.length, 1);
  assert.ok(isHeld(held[0]!));
  client.destroy();
  await waitFor("the socket to be gone", () => !isHeld(held[0]!));
  server.close();
});
