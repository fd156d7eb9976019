import type { ReplayRate } from "../figures.ts";
import { consumerPosition, nextTick, waitForPosition } from "../queue-position.ts";
import type { Stage } from "../stage.ts";
import type { Writers } from "../writers.ts";

/** Replay under load; then a backlog, made while the leaf's worker is stopped, and its replay. Stops the writers. */
export async function replayChanges(stage: Stage, writers: Writers): Promise<ReplayRate> {
  const { narrator, options, size, shell, daemons, leaf, provider, memory } = stage;
  narrator.title(`Replay under load, ${options.loadSeconds} s`);
  await writers.runFor(options.loadSeconds * 1000);
  memory.sample();
  const { transactions, seconds } = writers.takeWindow();
  narrator.say(
    `the application committed ${transactions} transactions, ${(transactions / seconds).toFixed(0)} a second`,
  );
  await shell.run("londiste3", leaf.iniFile, "status");

  narrator.title("The leaf's worker stops; one statement changes a quarter of the accounts; the lag grows");
  await daemons.stop(leaf.worker);
  await provider.execute(
    `update accounts set abalance = abalance + 1 where aid <= ${Math.ceil(size.accounts / 4)}`,
  );
  await writers.runFor((options.loadSeconds * 1000) / 4);
  await shell.run("londiste3", leaf.iniFile, "status");

  narrator.title("The application stops, the worker starts again and catches up");
  await writers.stop();
  const tick = await nextTick(provider);
  const { pendingEvents } = await consumerPosition(provider, leaf.job);
  await daemons.start(leaf.worker);
  const started = performance.now();
  await waitForPosition(provider, leaf.job, tick, () => {
    daemons.check();
    memory.sample();
  });
  const rate = { rows: Number(pendingEvents), seconds: (performance.now() - started) / 1000 };
  narrator.say(`${rate.rows.toLocaleString("en")} changes applied in ${rate.seconds.toFixed(1)} s`);
  await shell.run("londiste3", leaf.iniFile, "status");
  return rate;
}
