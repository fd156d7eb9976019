import { maskConnectString, QueryBuilder } from "@skytools/skytools";
import { nameOrAll, optional, sequence, word } from "../grammar/grammar.ts";
import type { ConsoleCommand } from "./command.ts";

const locationColumn = 2;

export const showNodeCommand: ConsoleCommand = {
  lead: "show node",
  rest: optional(
    nameOrAll("node", "NODE", "node"),
    optional(sequence(word("on"), nameOrAll("on", "QUEUE", "queue"))),
  ),
  summary: "members of cascades, passwords left out",
  run: async (context, values) => {
    const node = values.text("node");
    const queue = values.text("on");
    const query = new QueryBuilder(
      "select queue_name, node_name, node_location, dead from pgq_node.node_location where true",
      { node, queue },
    )
      .add("and node_name = {node:text}")
      .add("and queue_name = {queue:text}")
      .add("order by queue_name, node_name");
    const title = `Node "${node ?? "*"}" on queue "${queue ?? "*"}":`;
    await context.show(title, query.sql, query.parameters.map(String), (row) =>
      row.map((value, at) => (at === locationColumn && value !== null ? maskConnectString(value) : value)),
    );
  },
};
