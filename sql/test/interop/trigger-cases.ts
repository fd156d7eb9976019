/** One table with triggers, and statements on it. */
export interface OracleCase {
  readonly name: string;
  readonly prepare: string;
  readonly triggers: string;
  readonly statements: readonly string[];
}

/** The three trigger functions on one table, with the same further arguments. */
function three(
  table: string,
  args: readonly string[] = [],
  kind = "after insert or update or delete",
): string {
  return ["json", "logu", "sql"]
    .map(
      (flavour, at) =>
        `create trigger t_${at} ${kind} on ${table} for each row
           execute function pgq.${flavour}triga(${["q", ...args].map(literal).join(", ")});`,
    )
    .join("\n");
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

const simple = "create table t (id serial primary key, txt text, val float)";
const simpleStatements = [
  "insert into t (txt) values ('text1')",
  "insert into t (val) values (1.5)",
  "update t set txt = 'text2' where id = 1",
  "update t set txt = txt",
  "update t set id = 10 where id = 1",
  "update t set id = id, val = 7",
  "delete from t where id = 2",
];
const twoKeys = "create table t (a int, b text, c text, d numeric, primary key (c, b))";
const twoKeyStatements = [
  "insert into t values (1, 'b 1', 'c''1', 1.0), (2, '', 'c\\2', null)",
  "update t set d = 1.00",
  "update t set d = 2, a = null where a = 1",
  "update t set a = 5 where c = 'c\\2'",
  "update t set b = 'x' where a = 5",
  "delete from t",
];

const types: readonly (readonly [string, string])[] = [
  ["text", "null"],
  ["text", `'''"quoted\\string$%,@"'''`],
  ["text", "E'tab\\tnewline\\nreturn\\rform\\fbell\\b\\x01\\x7f é € 𝄞 /?#[]@!$&''()*+,;=<>{}|^~`'"],
  ["text", "''"],
  ["varchar(20)", "'abc  '"],
  ["char(5)", "'ab'"],
  ['"char"', "'c'"],
  ["name", "'a name'"],
  ["bytea", "'\\x00ff01'"],
  ["bool", "true"],
  ["bool", "false"],
  ["timestamptz", "'2009-09-19 11:59:48.599'"],
  ["timestamptz", "'infinity'"],
  ["timestamptz", "'-infinity'"],
  ["timestamptz", "'0044-03-15 12:00:00 BC'"],
  ["timestamptz", "'10000-01-01'"],
  ["timestamp", "'2009-09-19 11:59:48.599001'"],
  ["timestamp", "'infinity'"],
  ["timestamp", "'0044-03-15 12:00:00 BC'"],
  ["date", "'2009-09-19'"],
  ["date", "'-infinity'"],
  ["date", "'0044-03-15 BC'"],
  ["time", "'11:59:48.599'"],
  ["timetz", "'11:59:48.599+03'"],
  ["interval", "'2 minutes'"],
  ["int2", "-32768"],
  ["int4", "2147483647"],
  ["int8", "-9223372036854775808"],
  ["int8", "9223372036854775807"],
  ["oid", "100200300"],
  ["xid", "'100200300'"],
  ["tid", "'(1,2)'"],
  ["real", "100100.666"],
  ["float", "100100.6005005665"],
  ["float", "'NaN'"],
  ["float", "'-Infinity'"],
  ["float", "1e100"],
  ["numeric(40,15)", "100.600"],
  ["numeric", "'NaN'"],
  ["numeric", "'Infinity'"],
  ["money", "12.5"],
  ["box", "'((1,2),(3,4))'"],
  ["point", "'(1,2)'"],
  ["uuid", "'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee'"],
  ["json", `'{"a": [1, 2]}'`],
  ["jsonb", `'{"a": [1, 2]}'`],
  ["jsonpath", "'$.a'"],
  ["xml", "'<a>b</a>'"],
  ["inet", "'10.0.0.1'"],
  ["inet", "'10.0.0.0/8'"],
  ["cidr", "'10.0.0.0/8'"],
  ["macaddr", "'08:00:2b:01:02:03'"],
  ["bit(4)", "B'1010'"],
  ["varbit", "B'10'"],
  ["tsvector", "'a b'"],
  ["tsquery", "'a & b'"],
  ["int4range", "'[1,5)'"],
  ["tstzrange", "'[2020-01-01,)'"],
  ["int4multirange", "'{[1,5)}'"],
  ["pg_lsn", "'16/B374D848'"],
  ["txid_snapshot", "'10:20:11'"],
  ["regclass", "'pg_class'"],
  ["mood", "'so so'"],
  ["pair", "'(1,\"a b\")'"],
  ["positive", "7"],
  ["short_text", "'ab'"],
  ["moods", "'{\"so so\",sad}'"],
];

const settings = [
  "set datestyle = 'iso'",
  "set datestyle = 'sql, dmy'",
  "set datestyle = 'german'",
  "set timezone = 'Asia/Kathmandu'",
  "set bytea_output = 'escape'",
  "set intervalstyle = 'postgres_verbose'",
  "set extra_float_digits = 0",
  "set timezone = '<a&b>-5'; set datestyle = 'sql'",
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
  {
    name: "awkward names",
    prepare: `create table "My Tab.""le" ("Id é" int, "select" text, "a,b" text, "x y" text, "q'uote" text, "back\\slash" text,
      primary key ("select", "Id é"))`,
    triggers: three('"My Tab.""le"'),
    statements: [
      `insert into "My Tab.""le" values (1, 'S', 'ab', null, '''', '\\')`,
      `update "My Tab.""le" set "a,b" = 'new', "q'uote" = null`,
      `delete from "My Tab.""le"`,
    ],
  },
  {
    name: "NULL keys",
    prepare: "create table t (a int, b text, c text)",
    triggers: three("t", ["pkey=a"]),
    statements: ["insert into t values (null, 'x')", "insert into t values (1, 'x')"],
  },
  {
    name: "NULL keys, partial SQL",
    prepare: "create table t (a int, b text, c text); insert into t values (null, 'x')",
    triggers:
      "create trigger x after update or delete on t for each row execute function pgq.sqltriga('q', 'pkey=a')",
    statements: ["update t set b = 'y'", "delete from t"],
  },
  {
    name: "NULL keys, url-encoded",
    prepare: "create table t (a int, b text, c text); insert into t values (null, 'x')",
    triggers:
      "create trigger x after update or delete on t for each row execute function pgq.logutriga('q', 'pkey=a')",
    statements: ["update t set b = 'y'", "delete from t"],
  },
  {
    name: "NULL transitions",
    prepare: twoKeys,
    triggers: three("t"),
    statements: [
      "insert into t values (1, 'b', 'c', null)",
      "update t set d = 5",
      "update t set d = null, a = null",
      "update t set d = null",
    ],
  },
  {
    name: "comparison by the type's equality",
    prepare:
      `create table t (id int primary key, n numeric, c char(5), i interval, f float, j jsonb, js json, a int[], na numeric[], p point, b bool, r pair)`.replace(
        /^/,
        "create type pair as (x int, y numeric); ",
      ),
    triggers: three("t", ["ignore=b"]),
    statements: [
      `insert into t values (1, 1.0, 'ab', '24 hours', 0, '{"a":1}', '{"a":1}', '{1}', '{1.0}', '(1,2)', true, '(1,1.0)')`,
      "update t set n = 1.00, c = 'ab  ', i = '1 day', f = '-0', b = false",
      `update t set j = '{"a": 1}', a = '{1}'`,
      `update t set js = '{"a": 1}'`,
      "update t set na = '{1.00}'",
      "update t set p = '(1.0,2)', r = '(1,1.00)', b = true",
      "update t set p = '(1,3)', b = false",
    ],
  },
  {
    name: "altered in one session",
    prepare: simple,
    triggers: three("t"),
    statements: [
      "insert into t values (1, 'x')",
      "alter table t add column more int default 5",
      "insert into t values (2, 'x')",
      "alter table t drop column txt",
      "update t set val = 4 where id = 1",
      "alter table t alter val type int8",
      "insert into t values (3, 7)",
      "alter table t rename val to value",
      "delete from t where id = 1",
      "alter table t drop constraint t_pkey; alter table t add primary key (id, more)",
      "update t set value = 9 where id = 2",
      "alter table t rename to t2",
      "insert into t2 values (4)",
    ],
  },
  {
    name: "session_replication_role local",
    prepare: simple,
    triggers: three("t", ["deny"]),
    statements: [
      "set session_replication_role = local",
      "insert into t values (1)",
      "update t set id = 2",
      "set session_replication_role = replica",
      "delete from t",
      "alter table t enable always trigger t_0",
      "insert into t values (1)",
      "reset session_replication_role",
    ],
  },
  {
    name: "partitions",
    prepare: `create table t (id int, k int, v text, primary key (id, k)) partition by list (k);
      create table t1 partition of t for values in (1); create table t2 (v text, id int not null, k int not null);
      alter table t attach partition t2 for values in (2)`,
    triggers: three("t"),
    statements: [
      "insert into t values (1, 1, 'a'), (2, 2, 'b')",
      "update t set v = 'c'",
      "update t set k = 2 where id = 1",
      "delete from t",
    ],
  },
  {
    name: "a view",
    prepare: "create table b (id int primary key, v text); create view t as select * from b",
    triggers: three("t", ["pkey=id"], "instead of insert or update or delete"),
    statements: [
      "insert into t values (1, 'x')",
      "insert into b values (1, 'x')",
      "update t set v = 'y'",
      "delete from t",
    ],
  },
  ...["'kv'", "'kiv'", "'vik'", "'kkv', 'third'", "'k'", "'vv'", "'vvvvk'", "'iiv'", "'xkv'", "''"].map(
    (kinds) => ({
      name: `logtriga ${kinds}`,
      prepare: "create table t (a int, b numeric, c text, d text)",
      triggers: `create trigger x after insert or update or delete on t for each row execute function pgq.logtriga('q', ${kinds})`,
      statements: [
        "insert into t values (1, 1.0, 'c', 'd')",
        "update t set b = 1.00",
        "update t set c = null",
        "update t set d = 'e'",
        "update t set a = 2",
        "alter table t drop column b",
        "update t set c = 'x', d = 'y'",
        "delete from t",
        "insert into t values (null, null)",
        "update t set d = 'z'",
        "delete from t",
      ],
    }),
  ),
  ...types.map(([type, value], at) => ({
    name: `type ${type} ${at}`,
    prepare: `create type mood as enum ('sad', 'so so'); create type pair as (x int, y text);
      create domain positive as int check (value > 0); create domain short_text as char(4); create domain moods as mood[];
      set timezone = 'UTC'; create table t (nr int4, val ${type} default ${value}, arr ${type}[] default array[${value}, ${value}]::${type}[])`,
    triggers: three("t", ["pkey=nr"]),
    statements: [
      "insert into t (nr) values (1)",
      "update t set nr = nr",
      "update t set val = null",
      "update t set val = default, arr = null",
      ...settings.flatMap((setting) => [
        setting,
        "update t set val = default, arr = default",
        "update t set val = null",
      ]),
    ],
  })),
];
