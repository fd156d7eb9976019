import { type CopyRate, measurePlainCopy } from "../copy-baseline.ts";
import { CopyDisplay } from "../copy-display.ts";
import { watchCopies } from "../copy-watch.ts";
import { sequence, tables } from "../data-set.ts";
import { databaseName } from "../nodes.ts";
import { ReplayWitness } from "../replay-witness.ts";
import type { Stage } from "../stage.ts";
import type { Writers } from "../writers.ts";

export interface CopyFigures {
  readonly copy: CopyRate;
  readonly plainCopy: CopyRate;
}

/** Adds all tables and watches their copies, while the writers write. */
export async function copyTables(stage: Stage, writers: Writers): Promise<CopyFigures> {
  const { narrator, shell, size, daemons, root, leaf, subscriber, memory } = stage;
  narrator.title("Plain COPY of accounts between the servers, to compare with");
  const plainCopy = await measurePlainCopy(
    root.cluster.connstr(databaseName),
    leaf.cluster.connstr(databaseName),
  );
  narrator.say(
    `${plainCopy.rows.toLocaleString("en")} rows in ${plainCopy.seconds.toFixed(1)} s, primary key included`,
  );

  narrator.title("The tables and the sequence, first on the root, then on the leaf");
  writers.takeWindow();
  const names = tables.map((table) => table.name);
  for (const node of [root, leaf]) {
    await shell.run("londiste3", node.iniFile, "add-table", ...names);
    await shell.run("londiste3", node.iniFile, "add-seq", sequence);
  }

  narrator.title("The initial copies, while the application goes on");
  const display = new CopyDisplay();
  const witness = new ReplayWitness(subscriber);
  const times = await watchCopies(subscriber, async (progress) => {
    await witness.look(progress);
    daemons.check();
    display.update(progress);
    memory.sample();
  }).finally(() => display.stop());
  const { transactions, longestMs } = writers.takeWindow();
  narrator.say(
    `all in sync after ${times.totalSeconds.toFixed(1)} s; since add-table the application committed ${transactions} transactions, the longest took ${longestMs.toFixed(0)} ms`,
  );
  if (witness.changes > 0) {
    narrator.say(
      `while accounts was being copied, tellers was replayed: seen with new balances ${witness.changes} times`,
    );
  }
  await shell.run("londiste3", leaf.iniFile, "tables");
  const seconds = times.copySeconds.get("public.accounts") ?? Number.NaN;
  return { copy: { rows: size.accounts, bytes: plainCopy.bytes, seconds }, plainCopy };
}
