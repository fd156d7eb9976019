import { hasteOf } from "../queue-haste.ts";
import type { Stage } from "../stage.ts";
import type { Part } from "./part.ts";
import { startConsumers } from "./start-consumers.ts";

const queue = "orders";
const programs = {
  simple_consumer3: {
    dst_query:
      "insert into copied values (mod(%%(id)s::int, 100), %%(name)s) on conflict (id) do update set name = excluded.name",
  },
  simple_serial_consumer3: {
    dst_query:
      "insert into once values (mod(%%(id)s::int, 100), %%(name)s) on conflict (id) do update set name = excluded.name",
  },
  queue_mover3: { dst_queue_name: "copy" },
  table_dispatcher3: { dest_table: "public.history" },
};

/** Consumers of one queue, whose position is with the queue or in the target. */
export async function consumers(stage: Stage): Promise<Part> {
  const source = await stage.createDatabase("shop", ["pgq"], hasteOf(queue));
  const target = await stage.createDatabase(
    "archive",
    ["pgq", "pgq_ext", "dispatch"],
    `${hasteOf("copy")}; create table copied (id int primary key, name text);
      create table once (id int primary key, name text); create table history (id int, name text)`,
  );
  const [writer, observer] = [await stage.connect(source), await stage.connect(source)];
  await startConsumers(stage, { source, target, queue, observer }, programs);
  let id = 0;
  return {
    write: async () => {
      id += 10;
      await writer.query(
        `select pgq.insert_event($1, 'I:id', 'id=' || n || '&name=some+name', 'public.orders', null, null, null)
           from generate_series($2::int, $2 + 9) n`,
        [queue, id],
      );
    },
    disturbances: ["shop", "archive"].map((name) => ({
      name: `connections to ${name} are cut`,
      run: () => stage.cut(name),
    })),
  };
}
