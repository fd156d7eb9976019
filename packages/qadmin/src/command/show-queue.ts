import { nameOrAll, optional } from "../grammar/grammar.ts";
import type { ConsoleCommand } from "./command.ts";

/** Source: spec/qadmin.md 6 (columns) */
const queueSql = `
  select queue_name, queue_cur_table || '/' || queue_ntables as tables, queue_ticker_max_count as max_count,
         queue_ticker_max_lag as max_lag, queue_ticker_idle_period as idle_period, queue_ticker_paused as paused,
         ticker_lag, round(ev_per_sec::numeric, 1) as ev_per_sec, ev_new
    from pgq.get_queue_info($1::text)`;

export const showQueueCommand: ConsoleCommand = {
  lead: "show queue",
  rest: optional(nameOrAll("queue", "QUEUE", "queue")),
  summary: "settings and state of the default queue, of one, or of all",
  run: async (context, values) => {
    const queue = values.has("queue") ? values.text("queue") : context.session.queue;
    await context.show(`Queue "${queue ?? "*"}":`, queueSql, [queue]);
  },
};
