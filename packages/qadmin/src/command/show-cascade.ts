import { nameOrAll, optional, word } from "../grammar/grammar.ts";
import type { ConsoleCommand } from "./command.ts";

const cascadeSql = `
  select n.queue_name, i.node_name, i.node_type, i.provider_node, i.worker_name, i.worker_paused as paused,
         i.worker_uptodate as uptodate, i.worker_last_tick as last_tick, i.local_watermark, i.global_watermark, w.cur_error
    from pgq_node.node_info n
   cross join lateral pgq_node.get_node_info(n.queue_name) i
    left join lateral pgq_node.get_consumer_info(n.queue_name) w on w.consumer_name = i.worker_name
   where $1::text is null or n.queue_name = $1
   order by n.queue_name`;

/** Not in the original, which knew nothing of a node but its place. */
export const showCascadeCommand: ConsoleCommand = {
  lead: "show cascade",
  rest: optional(word("on"), nameOrAll("on", "QUEUE", "queue")),
  summary: "role of this database in its cascades, state of its workers; setadm3 status shows the whole tree",
  run: async (context, values) => {
    const queue = values.text("on");
    await context.show(`Nodes of this database on queue "${queue ?? "*"}":`, cascadeSql, [queue]);
  },
};
