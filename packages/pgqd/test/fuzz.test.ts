import { it } from "node:test";
import { fuzzParser } from "@skytools/testbed";
import { parseListenAddress } from "#src/monitor/listen-address.js";

it("parseListenAddress reads or refuses whatever comes, soon", () => {
  fuzzParser({
    name: "parseListenAddress",
    parse: parseListenAddress,
    samples: ["9127", "127.0.0.1:9127", "[::1]:9127", "*:80", "host.name:1"],
  });
});
