import assert from "node:assert/strict";
import { it } from "node:test";
import { isLoopback, parseListenAddress } from "#src/monitor/listen-address.js";

it("an address to listen on is a port, or a host and a port", () => {
  assert.deepEqual(parseListenAddress("9127"), { host: "127.0.0.1", port: 9127 });
  assert.deepEqual(parseListenAddress("db1.example.org:80"), { host: "db1.example.org", port: 80 });
  assert.deepEqual(parseListenAddress("[fe80::1]:80"), { host: "fe80::1", port: 80 });
  assert.deepEqual(parseListenAddress("*:80"), { host: "::", port: 80 });
  for (const wrong of ["", "host", "host:", ":80", "1.2.3.4:65536", "http://x:80", "a b:80", "[x]:80"]) {
    assert.equal(parseListenAddress(wrong), undefined, wrong);
  }
});

it("only loopback addresses are out of reach for other hosts", () => {
  assert.ok(["127.0.0.1", "127.1.2.3", "::1", "localhost"].every(isLoopback));
  assert.ok(!["0.0.0.0", "::", "10.0.0.1", "127.0.0.1.example.org"].some(isLoopback));
});
