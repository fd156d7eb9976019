import { formatConnectString, mergeConnectString } from "@skytools/skytools";
import { changeConnection } from "../command/connect.ts";
import type { MetaCommand } from "./meta-command.ts";

export const reconnectCommand: MetaCommand = {
  name: "c",
  args: "[DB|CONNSTRING [USER [HOST [PORT]]]]",
  summary: "connect to another database; what is left out, or -, stays as it is",
  completes: "database",
  run: async ({ console }, args) => {
    const [first = "-", user = "-", host = "-", port = "-"] = args;
    const isString = first.includes("=") || /^postgres(ql)?:\/\//.test(first);
    const given = Object.entries({ dbname: isString ? "-" : first, user, host, port }).filter(
      ([, value]) => value !== "-",
    );
    const base = mergeConnectString(console.session.connstr, isString ? first : "");
    await changeConnection(console.context, mergeConnectString(base, formatConnectString(new Map(given))));
  },
};

export const connectionCommand: MetaCommand = {
  name: "conninfo",
  args: "",
  summary: "where the console is connected",
  run: async ({ console }) => {
    const sql = `select current_database() as database, current_user as "user",
                        coalesce(host(inet_server_addr()), 'local socket') as server, current_setting('port') as port,
                        pg_backend_pid() as backend_pid, current_setting('server_version') as server_version`;
    await console.context.show(undefined, sql);
  },
};
