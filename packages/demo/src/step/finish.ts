import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { keepRunDirectory, runDirectory } from "@skytools/testbed";
import { databaseName } from "../nodes.ts";
import { commandDirectory, commandLine } from "../shell.ts";
import type { Stage } from "../stage.ts";

/** Stops the daemons as a user does, then the servers. */
export async function stopEverything(stage: Stage): Promise<void> {
  const { narrator, daemons, provider, subscriber, root, leaf } = stage;
  narrator.title("The end: daemons and servers stop");
  await daemons.stopAll();
  await provider[Symbol.asyncDispose]();
  await subscriber[Symbol.asyncDispose]();
  await root.cluster[Symbol.asyncDispose]();
  await leaf.cluster[Symbol.asyncDispose]();
}

/** Leaves servers and daemons running, and says how to go on. */
export async function keepEverything(stage: Stage): Promise<void> {
  const { narrator, directory, daemons, root, leaf } = stage;
  const script = join(directory, "stop.sh");
  const postmasters = [root, leaf].map((node) => node.cluster.pid);
  await writeFile(
    script,
    [
      `cd ${directory}`,
      `PATH=${commandDirectory()}:$PATH`,
      // What ends may still write its log: it has ended before anything is removed.
      ...daemons
        .running()
        .flatMap((daemon) => [
          `pid=$(cat ${daemon.files}.pid)`,
          commandLine(daemon.command, ["-s", ...daemon.args]),
          "while kill -0 $pid 2>/dev/null; do sleep 0.2; done",
        ]),
      `kill -INT ${postmasters.join(" ")}`,
      `while kill -0 ${postmasters.join(" 2>/dev/null || kill -0 ")} 2>/dev/null; do sleep 0.2; done`,
      `rm -rf ${runDirectory()}`,
      "",
    ].join("\n"),
  );
  keepRunDirectory();
  narrator.title("Everything is left running: two servers, pgqd and two workers");
  narrator.say("connect with");
  for (const node of [root, leaf]) narrator.command(`psql "${node.cluster.connstr(databaseName)}"`);
  narrator.say(`logs and configuration are in ${directory}; stop and remove everything with`);
  narrator.command(`sh ${script}`);
}
