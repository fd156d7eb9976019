import type { RandomSource } from "@skytools/testbed";

/** A replicated table, with what the writers do to it. */
export interface ChaosTable {
  readonly name: string;
  readonly create: string;
  /** A transaction may have one of them. */
  readonly statements: readonly ((random: RandomSource) => string)[];
  /** It may be removed, added and copied anew while writers write to it. */
  readonly isMovable: boolean;
}

const id = (random: RandomSource) => random.int(1, 300);

/** Each row tells of one transaction. Copied anew only where a dead root has come back. */
export const ledger: ChaosTable = {
  name: "public.ledger",
  create: "create table public.ledger (writer int, nr int, primary key (writer, nr))",
  statements: [],
  isMovable: false,
};

/** What a transaction adds to: the sum is the number of transactions. */
export const total: ChaosTable = {
  name: "public.total",
  create: `create table public.total (id int primary key, sum int8 not null);
    insert into public.total select g, 0 from generate_series(0, 9) g`,
  statements: [],
  isMovable: true,
};

export const sequence = "public.history_id_seq";

export const chaosTables: readonly ChaosTable[] = [
  ledger,
  total,
  {
    name: "public.account",
    create: "create table public.account (id int primary key, balance int8, note text)",
    statements: [
      (random) =>
        `insert into public.account values (${id(random)}, 0, E'a\\tb\\\\"') on conflict (id) do update set balance = account.balance + 1`,
      (random) => `update public.account set balance = balance + 1 where id between ${id(random)} and 310`,
      (random) =>
        `update public.account set id = -id where id % 50 = ${id(random) % 50}
          and not exists (select from public.account a where a.id = -account.id)`,
      (random) => `delete from public.account where id = ${id(random)}`,
      (random) =>
        random.chance(0.05)
          ? `insert into public.account select g, ${id(random)}, repeat('x', 200) from generate_series(1000, 1600) g on conflict (id) do update set balance = excluded.balance`
          : "delete from public.account where id between 1500 and 1550",
    ],
    isMovable: true,
  },
  {
    name: "public.history",
    create:
      "create table public.history (id bigserial primary key, at timestamptz default clock_timestamp())",
    statements: [
      (random) =>
        `insert into public.history (at) select clock_timestamp() from generate_series(1, ${random.int(1, 20)})`,
      () => "delete from public.history where id in (select id from public.history order by id limit 12)",
    ],
    isMovable: true,
  },
  {
    name: "public.item",
    create: "create table public.item (id int primary key, name text, tags text[])",
    statements: [
      (random) =>
        `insert into public.item values (${id(random)}, 'é', array['a', null]) on conflict (id) do update set name = item.name || 'x'`,
      (random) => `update public.item set tags = null, name = 'new' where id = ${id(random)}`,
      (random) => (random.chance(0.05) ? "truncate public.item" : "delete from public.item where id < 5"),
    ],
    isMovable: true,
  },
  {
    name: "public.altered",
    create: "create table public.altered (id int primary key, w int)",
    statements: [
      (random) =>
        `insert into public.altered (id, w) values (${id(random)}, 1) on conflict (id) do update set w = altered.w + 1`,
      (random) => `delete from public.altered where id = ${id(random)}`,
    ],
    isMovable: true,
  },
];

/** On a disk of its own where that can be had. Not copied anew for its own sake: a full disk is to stop the replay. */
export const spacious: ChaosTable = {
  name: "public.spacious",
  create: "create table public.spacious (id int primary key, filling text)",
  statements: [
    (random) =>
      `insert into public.spacious values (${random.int(1, 50)}, repeat(md5(random()::text), 60)) on conflict (id) do update set filling = excluded.filling`,
    (random) => `delete from public.spacious where id = ${random.int(1, 50)}`,
  ],
  isMovable: false,
};

export const allTables: readonly ChaosTable[] = [...chaosTables, spacious];
export const movableTables = chaosTables.filter(({ isMovable }) => isMovable).map(({ name }) => name);

/** What notes each row of the ledger that comes, by an application or by the replay: one that comes twice is there twice. A copy
 * empties the table first. */
export const arrivals = `
  create table public.arrival (writer int, nr int);
  create function public.note_arrival() returns trigger language plpgsql as
    'begin insert into public.arrival values (new.writer, new.nr); return new; end';
  create trigger note_arrival after insert on public.ledger for each row execute function public.note_arrival();
  alter table public.ledger enable always trigger note_arrival;
  create function public.forget_arrivals() returns trigger language plpgsql as
    'begin truncate public.arrival; return null; end';
  create trigger forget_arrivals after truncate on public.ledger for each statement execute function public.forget_arrivals();
  alter table public.ledger enable always trigger forget_arrivals`;
