import type { RandomSource } from "@skytools/testbed";

/** A replicated table, with what the writers do to it. */
export interface ChaosTable {
  readonly name: string;
  readonly create: string;
  /** A transaction may have one of them. */
  readonly statements: readonly ((random: RandomSource) => string)[];
  /** How many of the transactions have one; 1 is all. Default: half of them. */
  readonly share?: number;
  /** It may be removed, added and copied anew while writers write to it. */
  readonly isMovable: boolean;
}

const id = (random: RandomSource) => random.int(1, 300);

/** Many rows at once. Now and then so many that a batch is not read in the order of its events. */
const run = (random: RandomSource) => {
  const first = random.int(1, 12_000);
  return { first, last: first + (random.chance(0.1) ? 12_000 : random.int(50, 1500)) };
};
const bulkRows = "select g, g % 7, case g % 3 when 0 then null when 1 then '' else E'\\\\N' end from";

const seat = (random: RandomSource) => random.int(1, 60);
const currency = (random: RandomSource) => random.pick(["EUR", "eur", "Œ"]);

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

const chaosTables: readonly ChaosTable[] = [
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
  // A unique column beside the key: what rows give each other has no order that a set could keep.
  {
    name: "public.seat",
    create: `create table public.seat (id int primary key, place int unique, guest text);
      insert into public.seat select g, g from generate_series(1, 60) g`,
    statements: [
      (random) => {
        const one = seat(random);
        const pair = `(${one}, ${((one + random.int(0, 58)) % 60) + 1})`;
        const isPair = `id in ${pair} and (select count(*) from public.seat where id in ${pair}) = 2`;
        return `update public.seat set place = -place where ${isPair};
          update public.seat s set place = -o.place from public.seat o where s.id in ${pair} and o.id in ${pair} and o.id <> s.id`;
      },
      (random) => `update public.seat set place = null, guest = null where id = ${seat(random)}`,
      (random) =>
        `update public.seat set place = id + 100, guest = '' where id = ${seat(random)} and place is null
          and not exists (select from public.seat o where o.place = seat.id + 100)`,
      (random) => {
        const [gone, taken] = [seat(random), seat(random)];
        return `delete from public.seat where id = ${gone};
          insert into public.seat values (${gone}, ${taken}, 'again') on conflict do nothing`;
      },
    ],
    isMovable: true,
  },
  // Keys that are written in another way and are the same key all the same.
  {
    name: "public.rate",
    create:
      "create table public.rate (currency text, unit numeric, value float8, primary key (currency, unit))",
    statements: [
      (random) =>
        `insert into public.rate values ('${currency(random)}', ${random.int(1, 40)}, random())
           on conflict (currency, unit) do update set value = excluded.value, unit = excluded.unit`,
      (random) =>
        `update public.rate set unit = round(unit, ${random.int(0, 3)}) where currency = '${currency(random)}'`,
      (random) => {
        const other = currency(random);
        return `update public.rate set currency = '${other}', value = null where currency = '${currency(random)}'
          and unit between 10 and 20 and not exists (select from public.rate o where o.currency = '${other}' and o.unit = rate.unit)`;
      },
      (random) => `delete from public.rate where unit > ${random.int(5, 40)}`,
    ],
    isMovable: true,
  },
  {
    name: "public.bulk",
    create: "create table public.bulk (id int primary key, value int8, filling text)",
    share: 0.01,
    statements: [
      (random) => {
        const { first, last } = run(random);
        return `insert into public.bulk ${bulkRows} generate_series(${first}, ${last}) g
          on conflict (id) do update set value = coalesce(bulk.value, 0) + 1, filling = excluded.filling`;
      },
      (random) => {
        const { first, last } = run(random);
        return `delete from public.bulk where id between ${first} and ${last} and id % 2 = 0;
          update public.bulk set value = null where id between ${first} and ${last};
          insert into public.bulk ${bulkRows} generate_series(${first}, ${last}, 2) g on conflict do nothing`;
      },
      (random) => {
        const { first, last } = run(random);
        return `update public.bulk set id = -id where id between ${first} and ${last}
          and not exists (select from public.bulk o where o.id = -bulk.id)`;
      },
      (random) => {
        const { first, last } = run(random);
        return `delete from public.bulk where abs(id) between ${first} and ${last}`;
      },
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
