import { join } from "node:path";
import { hasteOf } from "../queue-haste.ts";
import type { Stage } from "../stage.ts";
import type { Part } from "./part.ts";
import { startConsumers } from "./start-consumers.ts";

const queue = "stock";
const splitQueues = ["split_even", "split_odd"];
const rowsAtOnce = 10;

/** Programs that take row changes, each of which makes something else of them; rows come and go, so that tables stay small. */
export async function loaders(stage: Stage): Promise<Part> {
  const source = await stage.createDatabase("depot", ["pgq"], hasteOf(queue));
  const target = await stage.createDatabase(
    "loaded",
    ["pgq", "pgq_ext"],
    `${splitQueues.map(hasteOf).join("; ")};
     create table goods (id int primary key, name text); create table loaded_goods (like goods including all);
     create table seen (id int primary key, times int8)`,
  );
  const [writer, observer] = [await stage.connect(source), await stage.connect(source)];
  const programs = {
    queue_splitter3: { queue_field: "extra4" },
    bulk_loader3: { remap_tables: "public.goods: public.loaded_goods" },
    // One table: there is none more after midnight.
    cube_dispatcher3: { dateformat: "YYYY" },
    simple_local_consumer3: {
      local_tracking_file: join(stage.directory, "simple_local_consumer3.tick"),
      dst_query:
        "insert into seen values (mod(%%(id)s::int, 100), 1) on conflict (id) do update set times = seen.times + 1",
    },
  };
  await startConsumers(stage, { source, target, queue, observer }, programs);
  let from = 0;
  return {
    write: async () => {
      await writer.query(
        `select pgq.insert_event($1, kind || ':id', 'id=' || n || '&name=some+name', 'public.goods', null, null,
                case when n % 2 = 0 then $2 else $3 end)
           from (select 'I', n from generate_series($4::int, $4 + $5 - 1) n
                 union all select 'D', n from generate_series($4 - $5, $4 - 1) n where n >= 0) as change (kind, n)`,
        [queue, ...splitQueues, from, rowsAtOnce],
      );
      from += rowsAtOnce;
    },
    disturbances: ["depot", "loaded"].map((name) => ({
      name: `connections to ${name} are cut`,
      run: () => stage.cut(name),
    })),
  };
}
