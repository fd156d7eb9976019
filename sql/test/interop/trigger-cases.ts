import { literal, type OracleCase, simple, three, twoKeys } from "./oracle-case.ts";
import { tableCases } from "./trigger-table-cases.ts";
import { typeCases } from "./trigger-type-cases.ts";

const simpleStatements = [
  "insert into t (txt) values ('text1')",
  "insert into t (val) values (1.5)",
  "update t set txt = 'text2' where id = 1",
  "update t set txt = txt",
  "update t set id = 10 where id = 1",
  "update t set id = id, val = 7",
  "delete from t where id = 2",
];
const twoKeyStatements = [
  "insert into t values (1, 'b 1', 'c''1', 1.0), (2, '', 'c\\2', null)",
  "update t set d = 1.00",
  "update t set d = 2, a = null where a = 1",
  "update t set a = 5 where c = 'c\\2'",
  "update t set b = 'x' where a = 5",
  "delete from t",
];

export const oracleCases: readonly OracleCase[] = [
  { name: "the basic table", prepare: simple, triggers: three("t"), statements: simpleStatements },
  {
    name: "before triggers",
    prepare: simple,
    triggers: three("t", [], "before insert or update or delete"),
    statements: simpleStatements,
  },
  { name: "two keys out of order", prepare: twoKeys, triggers: three("t"), statements: twoKeyStatements },
  {
    name: "no key",
    prepare: "create table t (id int, txt text)",
    triggers: three("t"),
    statements: ["insert into t values (1, 'x')", "update t set id = 1", "delete from t"],
  },
  {
    name: "no column",
    prepare: "create table t ()",
    triggers: three("t"),
    statements: ["insert into t default values"],
  },
  {
    name: "ignored column",
    prepare: twoKeys,
    triggers: three("t", ["ignore=d"]),
    statements: twoKeyStatements,
  },
  { name: "ignored key", prepare: twoKeys, triggers: three("t", ["ignore=b"]), statements: twoKeyStatements },
  {
    name: "ignored with blanks",
    prepare: twoKeys,
    triggers: three("t", ["ignore=a, d"]),
    statements: twoKeyStatements,
  },
  {
    name: "everything ignored",
    prepare: simple,
    triggers: three("t", ["ignore=id,txt,val"]),
    statements: simpleStatements,
  },
  {
    name: "ignored: what changed",
    prepare: "create table t (dat1 text primary key, col1 text, col2 text)",
    triggers: three("t", ["ignore=col2"]),
    statements: [
      "insert into t values ('a', 'col1', 'col2')",
      "update t set col1 = 'col1y', col2 = 'col2y'",
      "update t set col2 = 'col2z'",
      "update t set col2 = col2",
      "delete from t",
    ],
  },
  {
    name: "given key",
    prepare: "create table t (nr int4, col1 text, col2 text)",
    triggers: three("t", ["pkey=nr,col1"]),
    statements: [
      "insert into t values (1, 'col1', 'col2')",
      "update t set col2 = 'col2x'",
      "update t set nr = 2",
      "delete from t",
      "insert into t values (1, null, 'col2')",
    ],
  },
  {
    name: "given key with blanks",
    prepare: "create table t (id int4, v text, w text)",
    triggers: three("t", ["pkey=id, v"]),
    statements: [
      "insert into t values (1, 'a', 'b')",
      "update t set w = 'c'",
      "update t set v = 'c'",
      "delete from t",
    ],
  },
  { name: "backup", prepare: twoKeys, triggers: three("t", ["backup"]), statements: twoKeyStatements },
  {
    name: "backup and ignore",
    prepare: twoKeys,
    triggers: three("t", ["backup", "ignore=d"]),
    statements: twoKeyStatements,
  },
  {
    name: "deny",
    prepare: simple,
    triggers: `insert into t values (1);${three("t", ["deny"])}`,
    statements: simpleStatements,
  },
  {
    name: "deny without key",
    prepare: "create table t (id int); insert into t values (1)",
    triggers: three("t", ["deny"]),
    statements: ["insert into t values (2)", "update t set id = 5", "delete from t"],
  },
  {
    name: "SKIP before",
    prepare: simple,
    triggers: `insert into t values (1, 'x');${three("t", ["SKIP"], "before insert or update or delete")}`,
    statements: [...simpleStatements, "select count(*) from t"],
  },
  { name: "SKIP after", prepare: simple, triggers: three("t", ["SKIP"]), statements: simpleStatements },
  {
    name: "SKIP after without key",
    prepare: "create table t (id int); insert into t values (1)",
    triggers: three("t", ["SKIP"]),
    statements: ["insert into t values (2)", "delete from t"],
  },
  {
    name: "unknown argument",
    prepare: simple,
    triggers: three("t", ["nosuch"]),
    statements: [
      "insert into t values (1)",
      "set session_replication_role = local",
      "insert into t values (1)",
      "reset session_replication_role",
    ],
  },
  {
    name: "unknown assignment",
    prepare: simple,
    triggers: three("t", ["a=b"]),
    statements: ["insert into t values (1)"],
  },
  {
    name: "empty argument",
    prepare: simple,
    triggers: three("t", [""]),
    statements: ["insert into t values (1)"],
  },
  {
    name: "no argument",
    prepare: simple,
    triggers: "create trigger x after insert on t for each row execute function pgq.jsontriga()",
    statements: [
      "insert into t values (1)",
      "set session_replication_role = local; insert into t values (1); reset session_replication_role",
    ],
  },
  {
    name: "unknown queue",
    prepare: simple,
    triggers: "create trigger x after insert on t for each row execute function pgq.jsontriga('nosuch')",
    statements: ["insert into t values (1)"],
  },
  {
    name: "statement level",
    prepare: simple,
    triggers:
      "create trigger x after insert on t for each statement execute function pgq.logutriga('q', 'nosuch')",
    statements: ["insert into t values (1)"],
  },
  ...["ignore=a", "pkey=a", "backup", "ev_extra1=$$x$$", "when=true", "deny", "SKIP", "nosuch"].map(
    (argument) => ({
      name: `truncate with ${argument}`,
      prepare: simple,
      triggers: ["json", "logu", "sql"]
        .map(
          (flavour) =>
            `create trigger x${flavour} after truncate on t for each statement execute function pgq.${flavour}triga('q', ${literal(argument)});`,
        )
        .join(""),
      statements: ["truncate t"],
    }),
  ),
  {
    name: "truncate",
    prepare: twoKeys,
    triggers: ["json", "logu", "sql"]
      .map(
        (flavour) =>
          `create trigger x${flavour} after truncate on t for each statement execute function pgq.${flavour}triga('q');`,
      )
      .join(""),
    statements: ["truncate t"],
  },
  {
    name: "expressions",
    prepare: "create table t (nr int4 primary key, col1 text, col2 text)",
    triggers: three("t", [
      "ev_extra1=(nr+3)::text",
      "ev_extra2=col1||col2",
      "ev_extra3=$$333$$",
      "ev_extra4=$$444$$",
      "ev_type=$$badidea$$",
    ]),
    statements: [
      "insert into t values (1, 'col1', 'col2')",
      "update t set col1 = 'col1x'",
      "delete from t",
      "insert into t values (2, null, null)",
    ],
  },
  {
    name: "expressions of other types",
    prepare: "create table t (nr int4 primary key, col1 text, col2 bool, col3 char(4))",
    triggers: three("t", [
      "ev_extra1=nr",
      "ev_extra2=col2",
      "ev_extra3=col3",
      "ev_extra4=null",
      "ev_data=array[nr,2]",
    ]),
    statements: ["insert into t values (1, 'col1', true, 'x')"],
  },
  {
    name: "backup and ev_extra2",
    prepare: simple,
    triggers: three("t", ["backup", "ev_extra2=txt"]),
    statements: simpleStatements,
  },
  ...[
    "when=txt='text1'",
    "when=current_user='random'",
    "when=id=2",
    "when=val",
    "when=null::bool",
    "when=val > 1",
  ].map((argument) => ({
    name: argument,
    prepare: simple,
    triggers: three("t", [argument]),
    statements: simpleStatements,
  })),
  {
    name: "magic columns",
    prepare: `create table t (dat1 text primary key, dat2 text, _pgq_ev_type text, _pgq_ev_extra1 text,
      _pgq_ev_extra2 text default 'e2', _pgq_ev_extra3 text default 'e3', _pgq_ev_extra4 text default 'e4')`,
    triggers: three("t"),
    statements: [
      "insert into t values ('1', '2', 'xt', 'E1')",
      "insert into t values ('2', '3', null, 'E1')",
      "update t set _pgq_ev_extra4 = 'only'",
      "update t set dat2 = 'x', _pgq_ev_type = 'y' where dat1 = '1'",
      "delete from t",
    ],
  },
  {
    name: "magic columns and expressions",
    prepare: "create table t (id int primary key, _pgq_ev_data text, _pgq_ev_extra3 text)",
    triggers: three("t", ["ev_extra3=id+1"]),
    statements: ["insert into t values (1, 'data', 'x')"],
  },
  {
    name: "unknown magic column",
    prepare: "create table t (id int primary key, _pgq_ev_other text)",
    triggers: three("t"),
    statements: ["insert into t values (1, 'x')"],
  },
  ...tableCases,
  ...typeCases,
];
