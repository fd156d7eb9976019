import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "@skytools/testbed";
import type { Stage } from "../stage.ts";
import type { Part } from "./part.ts";

const name = "receiver";

/** walmgr's receiver of a WAL stream, of a server whose segments are small and full soon. */
export async function receiver(stage: Stage): Promise<Part> {
  const primary = await stage.startCluster({ max_wal_size: "32MB", min_wal_size: "8MB" });
  const archive = join((await temporaryDirectory("soak-archive")).path, "archive");
  mkdirSync(archive);
  const ini = stage.configure(name, "walmgr", {
    walmgr_data: archive,
    receive_conninfo: primary.connstr(),
    archive_compression: "gzip",
  });
  await stage.run("walmgr", [ini.path, "setup"]);
  const [writer, observer] = [await stage.connect(primary.connstr()), await stage.connect(primary.connstr())];
  stage.start({
    name,
    command: "walmgr",
    args: ["syncdaemon"],
    ini,
    logFile: stage.logFile(name),
    changing: ["loop_delay", "0.2", "0.25"],
    progress: async () =>
      Number(
        (await observer.queryValue(
          "select max(flush_lsn - '0/0')::int8::text from pg_stat_replication where application_name = 'walmgr'",
        )) ?? 0,
      ),
  });
  return {
    write: async () => {
      await writer.query("select pg_logical_emit_message(false, 'soak', repeat('x', 20000))");
    },
    disturbances: [
      {
        name: "the WAL stream is cut",
        run: async () => {
          await observer.query("select pg_terminate_backend(pid) from pg_stat_replication");
        },
      },
    ],
  };
}
