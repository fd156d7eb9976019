import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";
import { SkytoolsError } from "@skytools/skytools";
import { fuzzParser } from "@skytools/testbed";
import { readGrantFile } from "#src/grantfu3/grant-file.js";

const directory = mkdtempSync(join(tmpdir(), "fuzz-"));
const file = join(directory, "grants.ini");
after(() => rmSync(directory, { recursive: true }));

it("a grant file is read or refused whatever it holds, soon", () => {
  fuzzParser({
    name: "readGrantFile",
    parse: (text) => {
      writeFileSync(file, text);
      return readGrantFile(file);
    },
    samples: [
      '[GrantFu]\nroles = a, b\ngroups = g\n[1]\non.tables = t!, "x y"\na = select (c), insert\npublic = \n',
      "[GrantFu]\nusers: a\nauto_seq: 1\n[x]\non.functions: f(int),\n  g()\na: all privileges\n",
    ],
    isRefusal: (error) => error instanceof SkytoolsError,
  });
});
