import { quoteLiteral } from "@skytools/skytools";
import type { RandomSource } from "@skytools/testbed";
import { typeSamples } from "../apply/type-samples.js";
import type { HostileTable } from "./hostile-table.js";

const types = Object.keys(typeSamples);

function sample(type: string, random: RandomSource): string {
  const value = random.chance(0.2) ? "null" : quoteLiteral(random.pick(typeSamples[type]!));
  return `${value}::pg_catalog."${type}"`;
}

/** One column of every built-in type. */
export const typeTable: HostileTable = {
  name: "public.types",
  create: `create domain public.positive as int check (value > 0);
    create type public.mood as enum ('so so', 'it''s "ok"', 'très, bien');
    create type public.pair as (x public.positive, y text[]);
    create table public.types (id int primary key, own_mood public.mood[], own_pair public.pair,
      ${types.map((type) => `"of_${type}" pg_catalog."${type}"`).join(", ")})`,
  statements: [
    ({ id, random }) =>
      `insert into public.types values (${id}, array['it''s "ok"', null, 'très, bien']::public.mood[], row(${id}, array['"', null, '{}'])::public.pair,
         ${types.map((type) => sample(type, random)).join(", ")}) on conflict do nothing`,
    ({ id, random }) => {
      const some = [random.pick(types), random.pick(types), random.pick(types)];
      const changes = [...new Set(some)].map((type) => `"of_${type}" = ${sample(type, random)}`);
      return `update public.types set ${changes.join(", ")} where id between ${id} and ${id + 20}`;
    },
    ({ id }) => `update public.types set own_pair = null where id = ${id}`,
    ({ id }) => `delete from public.types where id between ${id} and ${id + 5}`,
  ],
};
