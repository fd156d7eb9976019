import { figureLines } from "./figures.ts";
import type { Narrator } from "./narrator.ts";
import { databaseName } from "./nodes.ts";
import type { DemoOptions } from "./options.ts";
import { compareNodes } from "./step/compare-nodes.ts";
import { copyTables } from "./step/copy-tables.ts";
import { createNodes } from "./step/create-nodes.ts";
import { keepEverything, stopEverything } from "./step/finish.ts";
import { loadData } from "./step/load-data.ts";
import { replayChanges } from "./step/replay-changes.ts";
import { startServers } from "./step/start-servers.ts";
import { Writers } from "./writers.ts";

/** Shows the main job, from two empty servers to two identical databases. What it started ends with the process, unless
 * it was to be kept.
 * @returns whether everything matched at the end
 * @throws Error when a step fails */
export async function runDemo(options: DemoOptions, narrator: Narrator): Promise<boolean> {
  const stage = await startServers(options, narrator);
  await loadData(stage);
  await createNodes(stage);

  narrator.title(
    `The application: ${options.writers} connections change data as fast as they can, from now on`,
  );
  const writers = await Writers.start(
    stage.root.cluster,
    databaseName,
    stage.size,
    options.writers,
    options.seed,
  );
  const { copy, plainCopy } = await copyTables(stage, writers);
  const replay = await replayChanges(stage, writers);
  const isIdentical = await compareNodes(stage);

  narrator.title("Figures");
  for (const line of figureLines({ copy, plainCopy, replay, memory: stage.memory.peaks() }))
    narrator.say(line);
  await (options.isKept ? keepEverything(stage) : stopEverything(stage));
  const outcome = isIdentical ? "everything matched" : "NOT everything matched";
  narrator.say(`\n${outcome}, after ${narrator.elapsedSeconds.toFixed(0)} s`);
  return isIdentical;
}
