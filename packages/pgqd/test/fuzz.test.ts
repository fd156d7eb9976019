import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";
import { ConfigError } from "@skytools/skytools";
import { type FuzzedParser, fuzzParser } from "@skytools/testbed";
import { parseCommandLine } from "#src/command-line.js";
import { parseListenAddress } from "#src/monitor/listen-address.js";
import { loadSettings } from "#src/settings.js";

const directory = mkdtempSync(join(tmpdir(), "fuzz-"));
const file = join(directory, "pgqd.ini");
after(() => rmSync(directory, { recursive: true }));

/** Every reader of this package for files and command lines. */
const parsers: readonly FuzzedParser[] = [
  {
    name: "parseListenAddress",
    parse: parseListenAddress,
    samples: ["9127", "127.0.0.1:9127", "[::1]:9127", "*:80", "host.name:1"],
  },
  {
    name: "loadSettings",
    parse: (text) => {
      writeFileSync(file, text);
      return loadSettings(file);
    },
    samples: [
      "[pgqd]\nbase_connstr = host=/tmp user='a b'\nticker_period = 0.1\ndatabase_list = a, b\n",
      "# c\n[pgqd]\n; d\n%include none.ini\nhttp_listen = [::1]:0\nsyslog = 0x1\n",
      "[pgqd]\n%include pgqd.ini\n",
    ],
    isRefusal: (error) => error instanceof ConfigError,
  },
  {
    name: "parseCommandLine",
    parse: (text) => parseCommandLine(text.split(" ")),
    samples: ["-qvd a.ini", "--check x"],
  },
];

for (const parser of parsers) {
  it(`${parser.name} reads or refuses whatever comes, soon`, () => fuzzParser(parser));
}
