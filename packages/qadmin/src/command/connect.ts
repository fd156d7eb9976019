import { getQueueInfo } from "@skytools/pgq";
import { getQueueLocations } from "@skytools/pgq/cascade";
import { formatConnectString } from "@skytools/skytools";
import { choice, name, nameOrText, nothing, number, repeat, setting, value } from "../grammar/grammar.ts";
import { readVersions, versionLine } from "../session/versions.ts";
import type { ConsoleCommand } from "./command.ts";
import type { CommandContext } from "./command-context.ts";
import type { CommandValues } from "./command-values.ts";
import { Refusal } from "./refusal.ts";

const parameters = ["dbname", "host", "port", "user", "password", "service"] as const;

/** Source: spec/qadmin.md 5 */
export const connectCommand: ConsoleCommand = {
  lead: "connect",
  rest: repeat(
    choice(
      setting("dbname", nameOrText("dbname", "DBNAME", "database")),
      setting("host", nameOrText("host", "HOST", "host")),
      setting("port", number("port", "PORT", "port")),
      setting("user", nameOrText("user", "USER", "user")),
      setting("password", value("password", "PASSWORD", ["string", "number", "name"])),
      setting("service", nameOrText("service", "SERVICE")),
      setting("queue", name("queue", "QUEUE", "queue")),
      setting("node", name("node", "NODE", "node")),
    ),
  ),
  summary: "change database, cascade node or default queue",
  run: connect,
};

export const disconnectQueueCommand: ConsoleCommand = {
  lead: "disconnect queue",
  rest: nothing,
  summary: "have no default queue",
  run: async ({ session, printer }) => {
    session.queue = undefined;
    printer.status("DISCONNECT");
  },
};

async function connect(context: CommandContext, values: CommandValues): Promise<void> {
  const { session, printer } = context;
  const pairs = new Map(parameters.flatMap((key) => (values.has(key) ? [[key, values.required(key)]] : [])));
  const node = values.text("node");
  const queue = values.text("queue") ?? session.queue;
  if (node !== undefined && pairs.size > 0) {
    throw new Refusal("node= cannot be combined with connection parameters");
  }
  if (node !== undefined) {
    await changeConnection(context, await locationOf(context, queue, node), queue);
  } else if (pairs.size > 0) {
    await changeConnection(context, formatConnectString(pairs), queue);
  } else {
    if (queue !== undefined && !(await hasQueue(context, queue))) throw new Refusal("queue not found");
    session.queue = queue;
    printer.status("CONNECT");
  }
}

/** Connects elsewhere. A default queue that is not there is one no longer. */
export async function changeConnection(
  context: CommandContext,
  connstr: string,
  queue: string | undefined = context.session.queue,
): Promise<void> {
  const { session, printer } = context;
  await session.connect(connstr);
  const versions = await readVersions(context.db);
  printer.document(versionLine(versions), { ...versions });
  session.queue = queue === undefined || (await hasQueue(context, queue)) ? queue : undefined;
  if (queue !== session.queue) printer.message(`queue not found: ${queue}; there is no default queue now`);
  printer.status("CONNECT");
}

async function locationOf({ db }: CommandContext, queue: string | undefined, node: string): Promise<string> {
  if (queue === undefined) throw new Refusal("No queue specified");
  const hasCascades = await db.queryValue<boolean>("select to_regnamespace('pgq_node') is not null");
  const nodes = hasCascades === true ? await getQueueLocations(db, queue) : [];
  const found = nodes.find(({ nodeName }) => nodeName === node);
  if (found === undefined) throw new Refusal("node not found");
  return found.location;
}

async function hasQueue({ db }: CommandContext, queue: string): Promise<boolean> {
  const hasPgq = await db.queryValue<boolean>("select to_regnamespace('pgq') is not null");
  return hasPgq === true && (await getQueueInfo(db, queue)).length > 0;
}
