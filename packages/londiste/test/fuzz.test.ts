import { it } from "node:test";
import { SkytoolsError } from "@skytools/skytools";
import { type FuzzedParser, fuzzParser } from "@skytools/testbed";
import { classifyEventType } from "#src/apply/event-kind.js";
import { parseFlatJson, parseRawJson } from "#src/apply/flat-json.js";
import { decodeRaw, decodeRow, encodeRaw } from "#src/apply/row-layout.js";
import { parseFunctionNeed } from "#src/execute/function-need.js";
import { parseScriptAttributes, readScriptAttributes } from "#src/execute/script-attributes.js";
import { splitScript } from "#src/execute/split-script.js";
import { FieldMap } from "#src/handler/dispatch/field-map.js";
import { parsePartitionTime } from "#src/handler/dispatch/partition-time.js";
import { parseHandlerSpec } from "#src/handler/handler-spec.js";
import { hashedText } from "#src/handler/obfuscation/hashed-text.js";
import { parseTableState } from "#src/replay/table-state.js";

const isRefusal = (error: unknown): boolean =>
  error instanceof SkytoolsError || /not valid UTF-8/.test(String(error));
const json = ['{"id":1,"name":"a b","note":null,"ok":true,"n":{"a":[1,"x"]}}', '{"a":"\\u00e9\\n"}', "{}"];
const scripts = [
  "--*-- Local-Table: users\nalter table @users@ add c int;",
  "--*-- Need-Function: f(2), g(0)\nselect 1;",
];

/** Every reader of this package for events, stored attributes and scripts. */
const parsers: readonly FuzzedParser[] = [
  { name: "parseFlatJson", parse: parseFlatJson, samples: json },
  { name: "parseRawJson", parse: parseRawJson, samples: json },
  { name: "decodeRaw", parse: decodeRaw, samples: ["a\\tb", "\\N"] },
  ...(["json", "url"] as const).map((format) => ({
    name: `decodeRow, ${format}`,
    parse: (text: string) => decodeRow(format, encodeRaw(text)),
    samples: [...json, "id=1&name=a+b%20%E4%B8%80&note"],
  })),
  {
    name: "classifyEventType",
    parse: classifyEventType,
    samples: ["I:id,sub", "U", "londiste.add-table", '{"op":"INSERT","table":"t","pkey":["id"]}'],
  },
  {
    name: "hashedText",
    parse: hashedText,
    samples: [
      "true",
      "2026-11-28 04:00:00.5+05:30",
      "{2026-11-28T04:00:00+00,NULL}",
      "0044-03-15 00:00:00+00 BC",
    ],
  },
  { name: "parseFunctionNeed", parse: parseFunctionNeed, samples: ["s.f(2)", "g"] },
  { name: "FieldMap", parse: (text) => new FieldMap(text, text), samples: ["a, b:new_b", "*"] },
  {
    name: "parseHandlerSpec",
    parse: parseHandlerSpec,
    samples: ["shard(hash_key=id,x=%20)", "filter(where=a+%3D+1)", "vtable"],
  },
  {
    name: "parsePartitionTime",
    parse: parsePartitionTime,
    samples: ["2026-11-28 04:00:00", "2026-11-28", "0044-03-15 BC"],
  },
  { name: "parseTableState", parse: parseTableState, samples: ["wanna-sync:12", "ok", "?"] },
  { name: "readScriptAttributes", parse: readScriptAttributes, samples: scripts },
  {
    name: "parseScriptAttributes",
    parse: parseScriptAttributes,
    samples: ["local-table=users,orders", "need-function=f(2),g%281%29"],
  },
  { name: "splitScript", parse: splitScript, samples: scripts },
];

for (const parser of parsers) {
  it(`${parser.name} reads or refuses whatever comes, soon`, () => fuzzParser({ isRefusal, ...parser }));
}
