import { sequence, tables } from "../data-set.ts";
import type { Stage } from "../stage.ts";
import { findDifferences, sequenceValue } from "../verification.ts";

/** Compares with the product's command, which fails when a table differs, and once more beside it.
 * @returns whether all is identical */
export async function compareNodes({ narrator, shell, leaf, provider, subscriber }: Stage): Promise<boolean> {
  narrator.title("Compare");
  await shell.run("londiste3", "-q", leaf.iniFile, "compare");
  const differences = await findDifferences(provider, subscriber);
  for (const difference of differences) narrator.say(`DIFFERENT: ${difference}`);
  if (differences.length === 0) {
    narrator.say(
      `computed beside the product: a digest over all rows agrees for all ${tables.length} tables`,
    );
  }
  const [here, there] = [await sequenceValue(provider), await sequenceValue(subscriber)];
  narrator.say(`${sequence}: ${here} on the provider, carried over as ${there}`);
  return differences.length === 0;
}
