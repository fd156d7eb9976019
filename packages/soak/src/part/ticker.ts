import { join } from "node:path";
import { IniFile } from "../ini-file.ts";
import { hasteOf } from "../queue-haste.ts";
import type { Stage } from "../stage.ts";
import type { Part } from "./part.ts";

/** pgqd and `pgqadm ticker`. pgqd's progress is read from its metrics, along with its status page. */
export async function startTicker(stage: Stage): Promise<Part> {
  const { cluster } = stage;
  const ini = new IniFile(join(stage.directory, "pgqd.ini"), "pgqd", {
    base_connstr: `host=${cluster.socketDir} port=${cluster.port} user=postgres`,
    logfile: stage.logFile("pgqd"),
    pidfile: join(stage.directory, "pgqd.pid"),
    syslog: 0,
    ticker_period: 0.1,
    maint_period: 4,
    retry_period: 4,
    check_period: 2,
    stats_period: 1,
    connection_lifetime: 15,
    http_listen: 0,
    metrics_period: 3,
  });
  const figures = ["/", "/metrics"] as const;
  const read = async () => {
    const [, text] = await Promise.all(figures.map(async (path) => (await fetch(`${url}${path}`)).text()));
    return [...text!.matchAll(/^pgqd_ticks_total\{.*\} (\d+)$/gm)].reduce((sum, [, n]) => sum + Number(n), 0);
  };
  // Not by several at once: each would have connections of its own, which are counted as the daemon's sockets.
  let reading: Promise<number> | undefined;
  const readOnce = () => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  };
  const daemon = stage.start({
    name: "pgqd",
    command: "pgqd",
    ini,
    logFile: stage.logFile("pgqd"),
    changing: ["stats_period", "1", "2"],
    progress: readOnce,
  });
  const [, url] = await daemon.program.waitForOutput(/http: listening on (http:\S+)\/$/m);
  await startDatabaseTicker(stage);
  return {
    write: async () => {},
    disturbances: [{ name: "connections to ticked are cut", run: () => stage.cut("ticked") }],
  };
}

/** `pgqadm ticker`, for one database, which pgqd ticks as well; its progress is when it last said something there. */
async function startDatabaseTicker(stage: Stage): Promise<void> {
  const connstr = await stage.createDatabase("ticked", ["pgq"], hasteOf("ticked"));
  const observer = await stage.connect(connstr);
  stage.start({
    name: "pgqadm ticker",
    command: "pgqadm",
    args: ["ticker"],
    ini: stage.configure("pgqadm", "pgqadm", { db: connstr, maint_delay_min: 0.01, retry_delay: 0.5 }),
    logFile: stage.logFile("pgqadm"),
    changing: ["retry_delay", "0.5", "0.6"],
    progress: async () =>
      (await observer.queryValue<number>(
        `select coalesce(max(extract(epoch from state_change)), 0)::float8 from pg_stat_activity
          where datname = 'ticked' and application_name = 'pgqadm'`,
      ))!,
  });
}
