import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";
import { type FuzzedParser, fuzzParser } from "@skytools/testbed";
import { InterpolationError, interpolate } from "#src/config/interpolation.js";
import {
  parseBoolean,
  parseBytes,
  parseDict,
  parseFile,
  parseFloatText,
  parseInteger,
  parseInterval,
  parseList,
  ValueError,
} from "#src/config/typed-value.js";
import { findPassword } from "#src/db/password-file.js";
import { messageFields } from "#src/db/replication-messages.js";
import { serverVersionNumber } from "#src/db/reported-settings.js";
import { readServiceFile } from "#src/db/service-file.js";
import { textParser } from "#src/db/type-parsers.js";
import {
  hashText,
  maskConnectString,
  parseConnectPairs,
  parseConnectString,
  parseCopyRow,
  parseIni,
  parseIsoTimestamp,
  parsePartialSql,
  parsePgArray,
  QueryBuilder,
  SkytoolsError,
  Snapshot,
  splitFqName,
  splitStatements,
  unescapeC,
  unescapeCopy,
  unquoteFqIdent,
  unquoteIdent,
  unquoteLiteral,
  urlDecode,
  urlDecodeRow,
  whyNotBetweenParentheses,
} from "#src/index.js";
import { LineFormatError, parseLineFormat } from "#src/log/line-format.js";
import { redactSecrets } from "#src/log/redact.js";
import { ArgumentError, parseArguments } from "#src/log/skylog/argument-parser.js";
import { parseStatisticsLine } from "#src/log/statistics-line.js";
import { parseNestedPgArray } from "#src/quoting/pg-array.js";
import { unescapeString } from "#src/quoting/unescape.js";
import { probePidfile } from "#src/script/pidfile.js";

const isRefused = (error: unknown): boolean => error instanceof SkytoolsError;
const isBadUtf8 = (error: unknown): boolean => /not valid UTF-8/.test(String(error));
const isA =
  (kind: new (...args: never[]) => Error) =>
  (error: unknown): boolean =>
    error instanceof kind;

const names = ["public.users", '"We.ird"."na""me"', "users", "a.b.c"];
const literals = ["'it''s'", "E'a\\nb'", "$$x$$", "$tag$ x $tag$", "null", "12"];
const connectStrings = [
  "host=db1 dbname=shop user='a b' password='x\\'y'",
  "postgresql://me:p%40ss@h1:5432,[::1]:5433/shop?sslmode=verify-full&application_name=x",
  "host=/var/run/postgresql port=5432,5433 connect_timeout=3",
];
const scripts = [
  "select 1; select 'a;b'; do $$ begin end $$;",
  'create table "x;y" (a int); -- end',
  "/* a /* b */ */ select 1",
];
const typed = [
  "10",
  "1_000",
  "64k",
  "1 GB",
  "yes",
  "a, b ,c",
  "a:b, c:d",
  "2 hours 30 minutes",
  "-1.5e3",
  "~/x",
];
const times = ["2026-11-28 04:00:00.123456+02", "2026-02-29", "infinity"];

const directory = mkdtempSync(join(tmpdir(), "fuzz-"));
const serviceFile = join(directory, "services");
const pidfile = join(directory, "x.pid");
const record = {
  time: new Date(0),
  level: "info",
  message: "m",
  stack: undefined,
  text: "m",
  json: "{}",
} as const;
const origin = { serviceName: "s", jobName: "j", pid: 1, hostName: "h", hostAddress: "::1" };
after(() => rmSync(directory, { recursive: true }));

/** Every reader of this package for text out of files, command lines, events and servers. */
const parsers: readonly FuzzedParser[] = [
  {
    name: "parseIni",
    parse: (text) => parseIni(text, "x.ini"),
    samples: ["[a]\nkey = value\n  more\n", "[DEFAULT]\na: b\n[x]\nb = %(a)s\n", "# c\n; d\n[s]\nk=\n"],
    isRefusal: isRefused,
  },
  ...(["basic", "extended"] as const).map((syntax) => ({
    name: `interpolate, ${syntax}`,
    parse: (text: string) =>
      interpolate(text, syntax, "a", () => ({ text: "x%%y$$", isLiteral: false, section: "a" })),
    samples: ["%(a)s and %%", `${"$"}{a:b} $$`, "x%(a)sy"],
    isRefusal: isA(InterpolationError),
  })),
  ...[parseInteger, parseFloatText, parseBoolean, parseBytes, parseInterval].map((parse) => ({
    name: parse.name,
    parse,
    samples: typed,
    isRefusal: isA(ValueError),
  })),
  {
    name: "interpolate, references within references",
    parse: (text) =>
      interpolate(text, "basic", "a", () => ({ text: "%(a)s".repeat(50), isLiteral: false, section: "a" })),
    samples: ["%(a)s and %%"],
    isRefusal: isA(InterpolationError),
  },
  ...[parseList, parseDict, parseFile].map((parse) => ({ name: parse.name, parse, samples: typed })),
  { name: "parseConnectPairs", parse: parseConnectPairs, samples: connectStrings, isRefusal: isRefused },
  {
    name: "parseConnectString",
    parse: (text) => parseConnectString(text, {}),
    samples: connectStrings,
    isRefusal: isRefused,
  },
  { name: "maskConnectString", parse: maskConnectString, samples: connectStrings },
  {
    name: "parsePgArray",
    parse: parsePgArray,
    samples: ['{a,"b,\\"c",NULL,""}', "[1:2]={1,2}", "{{a},{b}}"],
    isRefusal: isRefused,
  },
  ...[1007, 1009, 1016].map((oid) => ({
    name: `array of type ${oid}`,
    parse: textParser(oid),
    samples: ["{1,2,NULL}", "[1:2][0:0]={{1},{2}}", "{{{1}}}"],
    isRefusal: (error: unknown) => isRefused(error) || error instanceof SyntaxError,
  })),
  {
    name: "findPassword",
    parse: (text) => findPassword(text, { host: "db1", port: 5432, database: "shop", user: "me" }),
    samples: ["# c\ndb1:5432:shop:me:p\\:w\n*:*:*:*:x\n", "db\\1:*:sh\\:op:*:\n"],
  },
  {
    name: "readServiceFile",
    parse: (text) => {
      writeFileSync(serviceFile, text);
      return readServiceFile("shop", serviceFile, { PGSYSCONFDIR: directory });
    },
    samples: ["# c\n[shop]\nhost=db1\nport = 5432\n", "[other]\nuser=me\n[shop]\n"],
    isRefusal: isRefused,
  },
  {
    name: "probePidfile",
    parse: (text) => {
      writeFileSync(pidfile, text);
      return probePidfile(pidfile);
    },
    samples: ["4711\n", "4711\n/data\n1795838400\n"],
    isRefusal: isRefused,
  },
  {
    name: "parseNestedPgArray",
    parse: (text) => parseNestedPgArray(text, (each) => each),
    samples: ['{{a,b},{NULL,"c d"}}', "[0:1]={ a , b\\, }"],
    isRefusal: isRefused,
  },
  {
    name: "Snapshot",
    parse: (text) => Snapshot.parse(text),
    samples: ["10:20:11,12", "10:10:"],
    isRefusal: isRefused,
  },
  { name: "serverVersionNumber", parse: serverVersionNumber, samples: ["15.18 (Debian)", "19devel"] },
  {
    name: "messageFields",
    parse: (text) => messageFields(Buffer.from(text)),
    samples: ["SERROR\0C42P01\0Mx\0\0"],
  },
  {
    name: "whyNotBetweenParentheses",
    parse: whyNotBetweenParentheses,
    samples: ["a = 1 and (b > 'x)' or c) -- d\n", "x in ($$;$$, E'\\'')"],
  },
  {
    name: "redactSecrets",
    parse: redactSecrets,
    samples: ["host=h password='a b' x", "postgresql://u:p@h/d", "alter role r password 'it''s'"],
  },
  {
    name: "QueryBuilder",
    parse: (text) => new QueryBuilder(text, { a: 1 }).add(text).sql,
    samples: ["f({a}, {b:int4|null}) {{x}}", "{a:text}"],
    isRefusal: isRefused,
  },
  {
    name: "parseCopyRow",
    parse: parseCopyRow,
    samples: ["1\t\\N\ta\\tb\\\\", "\\x41\\101\\v"],
    isRefusal: isRefused,
  },
  { name: "unescapeCopy", parse: unescapeCopy, samples: ["a\\tb", "\\N", "\\777"], isRefusal: isRefused },
  { name: "unescapeC", parse: unescapeC, samples: ["a\\tb\\101", "\\x"], isRefusal: isRefused },
  {
    name: "unescapeString",
    parse: unescapeString,
    samples: ["a\\u00e9\\101\\U0001F600", "\\ud83d\\ude00"],
    isRefusal: isRefused,
  },
  {
    name: "urlDecodeRow",
    parse: urlDecodeRow,
    samples: ["id=1&name=a+b&note", "a=%E4%B8%80&&=x"],
    isRefusal: isBadUtf8,
  },
  { name: "urlDecode", parse: urlDecode, samples: ["a+b%20c", "%C3%A9"], isRefusal: isBadUtf8 },
  ...(["I", "U", "D"] as const).map((operation) => ({
    name: `parsePartialSql, ${operation}`,
    parse: (text: string) => parsePartialSql(operation, text),
    samples: ["(id,\"na me\") values ('1',null)", "name='a c',x=E'\\\\' where id='1' and k='2'", "id='1'"],
    isRefusal: isRefused,
  })),
  {
    name: "unquoteLiteral",
    parse: (text) => unquoteLiteral(text, true),
    samples: literals,
    isRefusal: isRefused,
  },
  {
    name: "unquoteLiteral, old strings",
    parse: (text) => unquoteLiteral(text, false),
    samples: literals,
    isRefusal: isRefused,
  },
  { name: "unquoteIdent", parse: unquoteIdent, samples: names, isRefusal: isRefused },
  { name: "unquoteFqIdent", parse: unquoteFqIdent, samples: names, isRefusal: isRefused },
  { name: "splitFqName", parse: splitFqName, samples: names },
  { name: "splitStatements", parse: splitStatements, samples: scripts, isRefusal: isRefused },
  { name: "parseIsoTimestamp", parse: parseIsoTimestamp, samples: times, isRefusal: isRefused },
  { name: "hashText", parse: hashText, samples: ["abc", "aaaaaaaaaaaa"] },
  {
    name: "parseArguments",
    parse: parseArguments,
    samples: ["('a', 2*1024, ('x', None))", "(sys.stderr,)"],
    isRefusal: isA(ArgumentError),
  },
  {
    name: "parseLineFormat",
    parse: (text) => parseLineFormat(text, "%Y-%m-%d")(record, origin),
    samples: ["%(asctime)s %(process)5d %(levelname)s %(message)s", "%%"],
    isRefusal: isA(LineFormatError),
  },
  { name: "parseStatisticsLine", parse: parseStatisticsLine, samples: ["{count: 1, duration: 0.5}", "{}"] },
];

for (const parser of parsers) {
  it(`${parser.name} reads or refuses whatever comes, soon`, () => fuzzParser(parser));
}
