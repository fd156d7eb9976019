import type { HostileTable } from "./hostile-table.js";

const values = (w: number) =>
  `${w}, 'v${w}' || chr(10) || E'\\t\\\\"', random() * 1e6::numeric, random() / 3, random()::float4 / 7, clock_timestamp(),
   decode(md5(random()::text), 'hex'), array['a', null, '"', md5(random()::text)], array['2024-03-04'::timestamp + random() * interval '300 days'],
   tstzrange(now() - random() * interval '9 days', now()), jsonb_build_object('w', ${w}, 'x', random()), '{"a" :  1}'::json,
   -interval '1 year 2 days' + random() * interval '30 hours', 'c'::char(5), random() < 0.5, ${w}.25::numeric::money`;

/** Tables of applications: many columns, few columns, a large one, one with a sequence. */
export const everydayTables: readonly HostileTable[] = [
  {
    name: "public.plain",
    create: `create table public.plain (id int primary key, w int, v text, n numeric, f float8, r float4, ts timestamptz, b bytea,
      a text[], ta timestamp[], tr tstzrange, j jsonb, js json, i interval, c char(5), bo bool, m money,
      g int generated always as (id * 2) stored, unused int)`,
    onLeaf:
      "alter table public.plain add local_note text not null default 'mine', add unique (id, local_note)",
    keepsName: true,
    statements: [
      ({ id, small: w }) =>
        `insert into public.plain (id, w, v, n, f, r, ts, b, a, ta, tr, j, js, i, c, bo, m) values (${id}, ${values(w)})
         on conflict (id) do update set (w, v, n, f, r, ts, b, a, ta, tr, j, js, i, c, bo, m) = (select ${values(w)})`,
      ({ id, other, small }) =>
        `update public.plain set w = w + ${small}, f = f * 1.000001, v = null where id between ${id} and ${other}`,
      ({ id, other }) =>
        `update public.plain set id = id + 100 * (1 - 2 * (id / 101)) where id between ${id} and ${other}`,
      ({ id }) => `delete from public.plain where id % 10 = ${id % 10}`,
      ({ id, small }) =>
        `with gone as (delete from public.plain where id = ${id} returning *)
         insert into public.plain (id, w, ts) select id, ${small}, ts from gone`,
      ({ id, small }) =>
        `with x as (update public.plain set w = ${small} where id = ${id} returning id), y as (delete from public.plain where id = ${id + 1})
         insert into public.plain (id, w) select ${id + 1}, ${small} where false`,
      ({ random }) => (random.chance(0.1) ? "truncate public.plain" : "select"),
    ],
  },
  {
    name: "public.bulk",
    create: "create table public.bulk (id int primary key, w int, pad text)",
    statements: [
      ({ id, random }) =>
        random.chance(0.3)
          ? `insert into public.bulk select g, ${id}, repeat('x', ${id}) from generate_series(1, 6000) g on conflict (id) do update set w = excluded.w`
          : `update public.bulk set w = w + 1 where id % 100 = ${id % 100}`,
      ({ id }) => `delete from public.bulk where id % 100 = ${id % 100}`,
      ({ random }) =>
        random.chance(0.1) ? "truncate public.bulk" : "update public.bulk set id = -id where id % 50 = 1",
    ],
  },
  {
    name: "public.counted",
    create:
      "create table public.counted (id bigserial primary key, at timestamptz default clock_timestamp())",
    keepsName: true,
    statements: [
      ({ small }) => `insert into public.counted (at) select now() from generate_series(1, ${small})`,
      ({ id }) => `delete from public.counted where id % 7 = ${id % 7}`,
    ],
  },
  {
    name: "public.altered",
    create: "create table public.altered (id int primary key, w int)",
    keepsName: true,
    statements: [
      ({ id, small }) =>
        `insert into public.altered (id, w) values (${id}, ${small}) on conflict (id) do update set w = excluded.w`,
      ({ id }) => `delete from public.altered where id = ${id}`,
      ({ id }) => `update public.altered set w = w + 1 where id > ${id}`,
    ],
  },
  {
    name: "public.parts",
    create: `create table public.parts (id int, w int, v text, primary key (id)) partition by range (id);
      create table public.parts_low partition of public.parts for values from (minvalue) to (50);
      create table public.parts_high partition of public.parts for values from (50) to (maxvalue)`,
    statements: [
      ({ id, small }) =>
        `insert into public.parts values (${id}, ${small}, 'p') on conflict (id) do update set w = excluded.w`,
      ({ id, other }) =>
        `update public.parts set id = ${other} where id = ${id} and not exists (select from public.parts where id = ${other})`,
      ({ id, small }) => `update public.parts set w = ${small} where id > ${id}`,
      ({ id }) => `delete from public.parts where id = ${id}`,
      ({ random }) => (random.chance(0.1) ? "truncate public.parts" : "select"),
    ],
  },
];
