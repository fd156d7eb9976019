import { hasteOf } from "../queue-haste.ts";
import type { Stage } from "../stage.ts";
import type { Part } from "./part.ts";

const queue = "orders";
const programs = {
  simple_consumer3: {
    dst_query:
      "insert into copied values (mod(%%(id)s::int, 100), %%(name)s) on conflict (id) do update set name = excluded.name",
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
    `${hasteOf("copy")}; create table copied (id int primary key, name text); create table history (id int, name text)`,
  );
  const [writer, observer] = [await stage.connect(source), await stage.connect(source)];
  for (const [program, values] of Object.entries(programs)) {
    const ini = stage.configure(program, program, {
      src_db: source,
      dst_db: target,
      queue_name: queue,
      ...values,
    });
    await stage.run(program, [ini.path, "--register"]);
    stage.start({
      name: program,
      command: program,
      ini,
      logFile: stage.logFile(program),
      changing: ["loop_delay", "0.05", "0.04"],
      progress: async () =>
        Number(
          await observer.queryValue("select last_tick from pgq.get_consumer_info($1, $2)", [queue, program]),
        ),
    });
  }
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
