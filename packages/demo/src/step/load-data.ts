import { createTables, loadRows } from "../data-set.ts";
import type { Stage } from "../stage.ts";

export async function loadData({ narrator, size, options, provider, subscriber }: Stage): Promise<void> {
  narrator.title("A bank's data on the provider, empty tables on the subscriber");
  await createTables(provider);
  await createTables(subscriber);
  await loadRows(provider, size, options.seed);
  narrator.say(
    `accounts ${size.accounts.toLocaleString("en")} rows, tellers ${size.tellers}, branches ${size.branches}, an empty history;`,
  );
  narrator.say("and one table whose names and values are as awkward as PostgreSQL allows");
}
