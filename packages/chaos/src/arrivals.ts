import { type NodeKey, nodeKeys } from "./cascade-model.ts";
import { ledger } from "./chaos-tables.ts";
import type { Stage } from "./stage.ts";
import { ledgerKey } from "./transaction-ledger.ts";

const triggers = ["note_arrival", "forget_arrivals"];

/** What can note each row of the ledger that comes, by an application or by the replay: one that comes twice is there twice. A copy
 * empties the table first. */
export const arrivals = `
  create table public.arrival (writer int, nr int);
  create function public.note_arrival() returns trigger language plpgsql as
    'begin insert into public.arrival values (new.writer, new.nr); return new; end';
  create trigger note_arrival after insert on ${ledger.name} for each row execute function public.note_arrival();
  create function public.forget_arrivals() returns trigger language plpgsql as
    'begin truncate public.arrival; return null; end';
  create trigger forget_arrivals after truncate on ${ledger.name} for each statement execute function public.forget_arrivals();
  ${switchedTriggers(false)}`;

/** Begins or ends to note what comes to the nodes, which must be at rest. Where triggers act on replay, all events of a batch go
 * one by one: most of the time nobody is to look. */
export async function noteArrivals(stage: Stage, areNoted: boolean): Promise<void> {
  const begin = `truncate public.arrival; insert into public.arrival select writer, nr from ${ledger.name};`;
  for (const key of nodeKeys) {
    await stage.query(key, `${areNoted ? begin : ""}${switchedTriggers(areNoted)}`);
  }
}

/** While they were noted: each transaction has come once to the node. */
export async function findRepeatedArrivals(stage: Stage, key: NodeKey): Promise<string[]> {
  const rows = await stage.query<{ writer: number; nr: number; times: string }>(
    key,
    `select writer, nr, count(a.nr)::text as times
       from ${ledger.name} l left join public.arrival a using (writer, nr)
      group by writer, nr having count(a.nr) <> 1 limit 5`,
  );
  return rows.map((row) => `transaction ${ledgerKey(row)} has come ${row.times} times to ${key}`);
}

function switchedTriggers(areOn: boolean): string {
  return triggers
    .map((name) => `alter table ${ledger.name} ${areOn ? "enable always" : "disable"} trigger ${name}`)
    .join("; ");
}
