import type { HostileTable } from "./hostile-table.js";

/** Unique values that swap, also while nobody checks, keys that change, rows that refer to rows. */
export const constrainedTables: readonly HostileTable[] = [
  {
    name: "public.swap",
    create: "create table public.swap (id int primary key, u int unique, w int)",
    statements: [
      ({ small: w }) => `insert into public.swap values (${w}, ${w}, 0) on conflict do nothing`,
      ({ small: w }) => `update public.swap set u = -u where id > ${w}`,
      ({ id, other }) =>
        `update public.swap set u = u + 1000 where id = ${id % 12};
         update public.swap set u = ${other % 12} where id = ${id % 12} and not exists (select from public.swap where u = ${other % 12})`,
      ({ small: w }) => `delete from public.swap where id = ${w}`,
      ({ random }) => (random.chance(0.1) ? "truncate public.swap" : "select"),
    ],
  },
  {
    name: "public.late",
    create:
      "create table public.late (id int primary key, u int unique deferrable initially deferred, w int)",
    statements: [
      ({ small: w }) =>
        `insert into public.late select ${w}, ${w}, 0 where not exists (select from public.late where id = ${w} or u = ${w})`,
      () => "update public.late set u = 13 - u",
      () => "update public.late set u = case u when 12 then 1 else u + 1 end where u <= 12",
      ({ small, id }) => `update public.late set w = w + 1, u = u where id in (${small}, ${id % 12})`,
      ({ small, id }) =>
        `update public.late set u = (select u from public.late where id = ${small}) where id = ${id % 12};
         update public.late set u = ${id % 12} where id = ${small}`,
      ({ small }) => `delete from public.late where id = ${small}`,
    ],
  },
  {
    name: "public.parent",
    create: "create table public.parent (id int primary key, w int)",
    keepsName: true,
    statements: [
      ({ id, small }) =>
        `insert into public.parent values (${id}, ${small}) on conflict (id) do update set w = excluded.w + 1`,
      ({ id }) => `delete from public.parent where id between ${id} and ${id + 5}`,
      ({ id, other }) =>
        `update public.parent set id = ${other} where id = ${id} and not exists (select from public.parent where id = ${other})`,
      ({ random }) => (random.chance(0.1) ? "truncate public.parent cascade" : "select"),
    ],
  },
  {
    name: "public.child",
    create: `create table public.child (id int primary key, parent int references public.parent on delete cascade on update cascade,
      w int)`,
    keepsName: true,
    statements: [
      ({ id, other, small }) =>
        `insert into public.child select ${id}, id, ${small} from public.parent where id = ${other} on conflict do nothing`,
      ({ id }) =>
        `insert into public.child select g, (select max(id) from public.parent), 1 from generate_series(${id}, ${id + 30}) g on conflict do nothing`,
      ({ id, small }) => `update public.child set w = w + ${small} where id < ${id}`,
    ],
  },
  {
    name: "public.tree",
    create: `create table public.tree (id int primary key,
      up int references public.tree on delete cascade on update cascade deferrable initially deferred, w int)`,
    keepsName: true,
    statements: [
      ({ id, other }) =>
        `insert into public.tree values (${id}, (select id from public.tree where id <> ${id} order by abs(id - ${other}) limit 1), 0)
         on conflict (id) do update set w = public.tree.w + 1`,
      ({ id }) => `delete from public.tree where id = ${id}`,
      ({ id }) => `update public.tree set id = id + 100 * (1 - 2 * (id / 101)) where id = ${id}`,
      ({ id, other }) =>
        `update public.tree set up = ${other} where id = ${id} and exists (select from public.tree where id = ${other})`,
      ({ random }) => (random.chance(0.05) ? "truncate public.tree" : "select"),
    ],
  },
  {
    name: "public.booked",
    create:
      "create table public.booked (id int primary key, during int4range, exclude using gist (during with &&))",
    statements: [
      ({ id, small }) =>
        `insert into public.booked select ${id}, int4range(${id}, ${id + small})
          where not exists (select from public.booked where during && int4range(${id}, ${id + small}) or id = ${id})`,
      () =>
        "update public.booked set during = int4range(lower(during) + 1000, upper(during) + 1000) where lower(during) < 1000",
      () =>
        "update public.booked set during = int4range(lower(during) - 1000, upper(during) - 1000) where lower(during) > 1000",
      ({ id }) => `delete from public.booked where id % 3 = ${id % 3}`,
    ],
  },
  {
    name: "public.cosmetic",
    create: "create table public.cosmetic (k numeric primary key, w int)",
    statements: [
      ({ small: w }) => `insert into public.cosmetic values (${w}, 0) on conflict do nothing`,
      ({ small: w, random }) =>
        `update public.cosmetic set k = round(k, ${random.int(0, 3)}), w = w + 1 where k = ${w}`,
      ({ small: w }) => `delete from public.cosmetic where k = ${w}`,
    ],
  },
  {
    name: "public.key_only",
    create: `create table public.key_only (a text, b timestamptz, c bytea, d float8, e numeric, f char(3),
      primary key (e, c, a, f, d, b))`,
    statements: [
      ({ id, small, random }) =>
        `insert into public.key_only values (E'${random.pick(["", " ", "\\\\", "\\t", "''", "é"])}', timestamptz '2024-01-01 00:00+00' + ${id} * interval '1 hour',
           decode('${random.pick(["", "00", "5c27"])}', 'hex'), ${random.pick(["'-0'", "'NaN'", "'Infinity'", "0.1", String(small)])}, ${small}.0, 'x')
         on conflict do nothing`,
      () => "update public.key_only set a = a",
      ({ id, small }) =>
        `update public.key_only set b = b + interval '${id} years' where e = ${small} and b < '2024-06-01'`,
      ({ small }) => `delete from public.key_only where e = ${small}`,
    ],
  },
  {
    name: "public.watched",
    create: "create table public.watched (id int primary key, w int)",
    onLeaf: `create table public.seen (id int, w int);
      create function public.see() returns trigger language plpgsql as
        'begin insert into public.seen values (new.id, new.w); return new; end';
      create trigger see after insert or update on public.watched for each row execute function public.see();
      create function public.refuse() returns trigger language plpgsql as 'begin raise exception ''not in replica role''; end';
      create trigger refuse before insert or update or delete on public.watched for each row execute function public.refuse()`,
    keepsName: true,
    statements: [
      ({ id, small }) =>
        `insert into public.watched values (${id}, ${small}) on conflict (id) do update set w = excluded.w`,
      ({ id, other }) =>
        `update public.watched set id = ${other} where id = ${id} and not exists (select from public.watched where id = ${other})`,
      ({ id }) => `delete from public.watched where id < ${id}`,
    ],
  },
];
