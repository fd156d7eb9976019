import { it } from "node:test";
import { fuzzParser } from "@skytools/testbed";
import { splitWords } from "#src/split-words.js";

it("splitWords reads or refuses whatever comes, soon", () => {
  fuzzParser({ name: "splitWords", parse: splitWords, samples: [`a 'b c' "d \\" e" f\\ g`, "londiste3 -v"] });
});
