import type { RandomSource } from "./random-source.js";

/** Tables of the random schedule, by the name that londiste knows them under. */
export const randomTables = [
  "public.plain",
  "public.swap",
  'public.Odd "Name" x',
  "public.parent",
  "public.child",
  "public.parts",
  "public.cosmetic",
] as const;

/** Never copied anew: what is applied to it is counted on the leaf. */
export const ledgerTable = "public.ledger";

export const hostileTables = `
  create table ledger (writer int, nr int8, primary key (writer, nr));
  create table plain (id int primary key, w int, v text, n numeric, f float8, r float4, ts timestamptz, b bytea,
    a text[], ta timestamp[], tr tstzrange, j jsonb, js json, i interval, c char(5), bo bool, m money,
    g int generated always as (id * 2) stored, unused int);
  create table swap (id int primary key, u int unique, w int);
  create table "Odd ""Name"" x" ("select" int, "a,b" text, "ключ" text, "id always" int generated always as identity,
    primary key ("a,b", "select"));
  create table parent (id int primary key, w int);
  create table child (id int primary key, parent int references parent on delete cascade on update cascade, w int);
  create table parts (id int, w int, v text, primary key (id)) partition by range (id);
  create table parts_low partition of parts for values from (minvalue) to (50);
  create table parts_high partition of parts for values from (50) to (maxvalue);
  create table cosmetic (k numeric primary key, w int);`;

/** Counts on the leaf, within the transactions that apply events. */
export const leafLedger = `
  create table applied (writer int, nr int8);
  create function count_applied() returns trigger language plpgsql as
    'begin insert into public.applied values (new.writer, new.nr); return new; end';
  create trigger count_applied after insert on ledger for each row execute function count_applied();
  alter table ledger enable always trigger count_applied;`;

/** Settings that applications use, all of which change how values look. */
export const writerSettings = [
  "",
  "set datestyle = 'German'; set timezone = 'Asia/Kolkata'",
  "set extra_float_digits = -10; set bytea_output = 'escape'",
  "set intervalstyle = 'sql_standard'; set datestyle = 'SQL, DMY'; set timezone = 'America/New_York'",
  "set search_path = pg_temp; set standard_conforming_strings = off",
] as const;

/** One statement that an application might run; it may fail. */
export function randomStatement(random: RandomSource): string {
  const id = random.int(1, 100);
  const other = random.int(1, 100);
  const small = random.int(1, 12);
  return random.pick(statements)(id, other, small, random);
}

type Statement = (id: number, other: number, small: number, random: RandomSource) => string;

const odd = 'public."Odd ""Name"" x"';

const values = (w: number) =>
  `${w}, 'v${w}' || chr(10) || E'\\t\\\\"', random() * 1e6::numeric, random() / 3, random()::float4 / 7, clock_timestamp(),
   decode(md5(random()::text), 'hex'), array['a', null, '"', md5(random()::text)], array['2024-03-04'::timestamp + random() * interval '300 days'],
   tstzrange(now() - random() * interval '9 days', now()), jsonb_build_object('w', ${w}, 'x', random()), '{"a" :  1}'::json,
   -interval '1 year 2 days' + random() * interval '30 hours', 'c'::char(5), random() < 0.5, ${w}.25::numeric::money`;

const statements: readonly Statement[] = [
  (id, _, w) =>
    `insert into public.plain (id, w, v, n, f, r, ts, b, a, ta, tr, j, js, i, c, bo, m) values (${id}, ${values(w)})
     on conflict (id) do update set (w, v, n, f, r, ts, b, a, ta, tr, j, js, i, c, bo, m) = (select ${values(w)})`,
  (id, to, w) =>
    `update public.plain set w = w + ${w}, f = f * 1.000001, v = null where id between ${id} and ${to}`,
  (id, to) => `update public.plain set id = id + 100 * (1 - 2 * (id / 101)) where id between ${id} and ${to}`,
  (id) => `delete from public.plain where id % 10 = ${id % 10}`,
  (id, _, w) =>
    `with gone as (delete from public.plain where id = ${id} returning *)
     insert into public.plain (id, w, ts) select id, ${w}, ts from gone`,
  (id, _, w) =>
    `with x as (update public.plain set w = ${w} where id = ${id} returning id), y as (delete from public.plain where id = ${id + 1})
     insert into public.plain (id, w) select ${id + 1}, ${w} where false`,
  (_, __, w) => `insert into public.swap values (${w}, ${w}, 0) on conflict do nothing`,
  (_, __, w) => `update public.swap set u = -u where id > ${w}`,
  (id, to) =>
    `update public.swap s set u = t.u from public.swap t where false; update public.swap set u = u + 1000 where id = ${id % 12};
     update public.swap set u = ${to % 12} where id = ${id % 12} and not exists (select from public.swap where u = ${to % 12})`,
  (_, __, w) => `delete from public.swap where id = ${w}`,
  (id, _, w) =>
    `insert into ${odd} ("select", "a,b", "ключ") select g, 'k''\\"' || ${w}, 'z' from generate_series(${id}, ${id + 20}) g on conflict do nothing`,
  (id, to) => `update ${odd} set "ключ" = "ключ" || ${to} where "select" < ${id}`,
  (id) =>
    `update ${odd} set "select" = "select" + 200 where "select" = ${id} and not exists (select from ${odd} where "select" = ${id + 200})`,
  (id) => `delete from ${odd} where "select" > ${id}`,
  (id, _, w) =>
    `insert into public.parent values (${id}, ${w}) on conflict (id) do update set w = excluded.w + 1`,
  (id, to, w) =>
    `insert into public.child select ${id}, id, ${w} from public.parent where id = ${to} on conflict do nothing`,
  (id) =>
    `insert into public.child select g, (select max(id) from public.parent), 1 from generate_series(${id}, ${id + 30}) g on conflict do nothing`,
  (id) => `delete from public.parent where id between ${id} and ${id + 5}`,
  (id, to) =>
    `update public.parent set id = ${to} where id = ${id} and not exists (select from public.parent where id = ${to})`,
  (id, _, w) => `update public.child set w = w + ${w} where id < ${id}`,
  (id, _, w) =>
    `insert into public.parts values (${id}, ${w}, 'p') on conflict (id) do update set w = excluded.w`,
  (id, to) =>
    `update public.parts set id = ${to} where id = ${id} and not exists (select from public.parts where id = ${to})`,
  (id, _, w) => `update public.parts set w = ${w} where id > ${id}`,
  (id) => `delete from public.parts where id = ${id}`,
  (_, __, w) => `insert into public.cosmetic values (${w}, 0) on conflict do nothing`,
  (_, __, w, random) =>
    `update public.cosmetic set k = round(k, ${random.int(0, 3)}), w = w + 1 where k = ${w}`,
  (_, __, w) => `delete from public.cosmetic where k = ${w}`,
  (_, __, ___, random) =>
    random.chance(0.2)
      ? `truncate ${random.pick(["public.plain", "public.swap", "public.parent cascade", "public.swap, public.plain", "public.parts"])}`
      : "select",
];
