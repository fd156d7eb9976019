import { findRepeatedArrivals } from "./arrivals.ts";
import { type CascadeModel, type NodeKey, nodeKeys } from "./cascade-model.ts";
import { allTables, ledger, sequence, total } from "./chaos-tables.ts";
import { queueName } from "./configuration.ts";
import { readQueue } from "./queue-content.ts";
import { findQueueDifferences } from "./queue-differences.ts";
import type { Stage } from "./stage.ts";
import { ledgerKey } from "./transaction-ledger.ts";

/** Looks at everything that has to be so when the set has settled.
 * @param areArrivalsNoted since the set has settled the last time
 * @returns one line for each thing that is not */
export async function findDifferences(
  stage: Stage,
  model: CascadeModel,
  areArrivalsNoted: boolean,
): Promise<string[]> {
  const { root } = model;
  const differences = [...stage.daemons.ended()];
  differences.push(...(await findLedgerDifferences(stage, root)));
  for (const { name } of allTables) differences.push(...(await findTableDifferences(stage, root, name)));
  for (const key of nodeKeys) {
    if (areArrivalsNoted) differences.push(...(await findRepeatedArrivals(stage, key)));
    differences.push(...(await findWrongPlace(stage, model, key)));
  }
  differences.push(...(await findSequenceBehind(stage, root)));
  differences.push(...(await compareQueues(stage, model)));
  return differences;
}

/** The root's queue is read last: it has all that the others have. What rotation may have taken is asked after that, so that none of
 * it is missed. */
async function compareQueues(stage: Stage, { root, branches }: CascadeModel): Promise<string[]> {
  const copies = new Map(
    await Promise.all(branches.map(async (key) => [key, await readQueue(stage, key)] as const)),
  );
  const original = await readQueue(stage, root);
  await stage.rotations.note(stage);
  return [...copies].flatMap(([key, copy]) =>
    findQueueDifferences(original, copy, stage.rotations.between(root, key)).map(
      (text) => `queue of ${key}: ${text}`,
    ),
  );
}

interface LedgerRow extends Record<string, unknown> {
  writer: number;
  nr: number;
}

/** What the applications believe, against what the root has. */
async function findLedgerDifferences(stage: Stage, root: NodeKey): Promise<string[]> {
  const rows = await stage.query<LedgerRow>(root, `select writer, nr from ${ledger.name}`);
  const { accepted, uncertain, setAside } = stage.ledger;
  const there = new Set(rows.map(ledgerKey));
  const lost = [...accepted].filter((transaction) => !there.has(transaction) && !setAside.has(transaction));
  const kept = [...setAside].filter((transaction) => there.has(transaction));
  const surplus = [...there].filter((each) => !accepted.has(each) && !uncertain.has(each));
  const [row] = await stage.query<{ sum: string }>(root, `select sum(sum)::text from ${total.name}`);
  return [
    ...(lost.length > 0 ? [`${lost.length} transactions are lost: ${lost.slice(0, 5).join(" ")}`] : []),
    ...(kept.length > 0
      ? [`on the root, and in the file of lost events too: ${kept.slice(0, 5).join(" ")}`]
      : []),
    ...(surplus.length > 0 ? [`nobody has written transactions ${surplus.slice(0, 5).join(" ")}`] : []),
    ...(Number(row!.sum) === rows.length ? [] : [`total is ${row!.sum}, with ${rows.length} transactions`]),
  ];
}

/** Contents of a table on all nodes against the root's. */
async function findTableDifferences(stage: Stage, root: NodeKey, table: string): Promise<string[]> {
  const expected = await linesOf(stage, root, table);
  const differences: string[] = [];
  for (const key of nodeKeys.filter((each) => each !== root)) {
    const found = await linesOf(stage, key, table);
    const missing = [...expected].filter((line) => !found.has(line));
    const surplus = [...found].filter((line) => !expected.has(line));
    if (missing.length + surplus.length === 0) continue;
    differences.push(
      `${table} on ${key}: ${missing.length} rows missing (${missing.slice(0, 3).join(" ")}), ${surplus.length} surplus (${surplus.slice(0, 3).join(" ")})`,
    );
  }
  return differences;
}

/** Columns in the order of their names: a node that got the table later may have them in another order. */
async function linesOf(stage: Stage, key: NodeKey, table: string): Promise<Set<string>> {
  const [{ columns } = { columns: "" }] = await stage.query<{ columns: string }>(
    key,
    `select string_agg(format('%L, %I', attname, attname), ', ' order by attname) as columns from pg_attribute
      where attrelid = $1::regclass and attnum > 0 and not attisdropped`,
    [table],
  );
  const rows = await stage.query<{ line: string }>(
    key,
    `select jsonb_build_object(${columns})::text as line from ${table}`,
  );
  return new Set(rows.map(({ line }) => line));
}

/** Everybody reads from whom he should, and nobody stands still. */
async function findWrongPlace(stage: Stage, model: CascadeModel, key: NodeKey): Promise<string[]> {
  const [node] = await stage.query<{ name: string; provider: string }>(
    key,
    "select node_name as name, provider_node as provider from pgq_node.get_node_info($1)",
    [queueName],
  );
  const expected = [model.name(key), model.name(model.providerOf(key) ?? key)];
  const paused = await stage.query(
    key,
    "select from pgq_node.local_state where queue_name = $1 and (paused or not uptodate)",
    [queueName],
  );
  return [
    ...(node!.name === expected[0] && node!.provider === expected[1]
      ? []
      : [`${node!.name} reads from ${node!.provider}, ${expected.join(" from ")} was expected`]),
    ...(paused.length > 0 ? [`${key} is paused`] : []),
  ];
}

/** Were a branch the root now, it would not give out a number again. */
async function findSequenceBehind(stage: Stage, root: NodeKey): Promise<string[]> {
  const value = async (key: NodeKey) => {
    const [row] = await stage.query<{ value: string }>(
      key,
      `select last_value::text as value from ${sequence}`,
    );
    return BigInt(row!.value);
  };
  const expected = await value(root);
  const differences: string[] = [];
  for (const key of nodeKeys) {
    const found = await value(key);
    if (found < expected) differences.push(`${sequence} on ${key} is ${found}, on the root ${expected}`);
  }
  return differences;
}
