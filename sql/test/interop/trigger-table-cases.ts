import { type OracleCase, simple, three, twoKeys } from "./oracle-case.ts";

/** Names, keys, comparison, altered tables, partitions, views. */
export const tableCases: readonly OracleCase[] = [
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
];
