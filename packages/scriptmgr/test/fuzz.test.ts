import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { fuzzParser, temporaryDirectory } from "@skytools/testbed";
import { filesOfPattern } from "#src/file-pattern.js";
import { readLog } from "#src/last-error.js";
import { splitWords } from "#src/split-words.js";

it("splitWords reads or refuses whatever comes, soon", () => {
  fuzzParser({ name: "splitWords", parse: splitWords, samples: [`a 'b c' "d \\" e" f\\ g`, "londiste3 -v"] });
});

it("filesOfPattern looks for whatever comes, soon, and nowhere else", async () => {
  await using directory = await temporaryDirectory("fuzz");
  for (const name of ["a.ini", `${"ab".repeat(60)}.ini`]) writeFileSync(join(directory.path, name), "");
  fuzzParser({
    name: "filesOfPattern",
    parse: (text) => {
      const pattern = text.replaceAll(/[/\0]/g, "");
      const found = filesOfPattern(`${directory.path}/[!z]${pattern}`, {});
      if (!found.every((file) => file.startsWith(`${directory.path}/`))) throw new Error(found.join(", "));
    },
    samples: ["*.ini", "[a-c]?*", "[!b].ini", "[z-a]*", "*a*b*a*b*a*b*x"],
  });
});

it("readLog finds the end of a log, soon, whatever stands there", async () => {
  await using directory = await temporaryDirectory("fuzz");
  const file = join(directory.path, "x.log");
  fuzzParser({
    name: "readLog",
    parse: (text) => {
      writeFileSync(file, text);
      readLog(file);
    },
    samples: [
      "2026-11-28 04:00:00,123 1 INFO {count: 1}\n2026-11-28 04:00:01,123 1 ERROR it broke\n",
      "INFO db works again\n",
      "INFO ",
    ],
  });
});
