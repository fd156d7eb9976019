import type { PgqEvent } from "@skytools/pgq";
import {
  type Config,
  type Database,
  quoteIdent,
  SkytoolsError,
  UsageError,
  urlDecodeRow,
  whyNotBetweenParentheses,
} from "@skytools/skytools";
import { encodingArgument, repairsText } from "./encoding-argument.ts";
import type { HandledTable, Handler, HandlerArgument, TableHandler } from "./handler.ts";
import { ignoresTruncate, ignoreTruncateArgument } from "./truncate-argument.ts";

/** Which rows a node has: those whose hash, masked, is its number. */
export interface Shard {
  readonly number: bigint;
  readonly mask: bigint;
}

export const shardArguments: readonly HandlerArgument[] = [
  { name: "hash_key", doc: "column whose hash decides" },
  { name: "key", doc: "the same" },
  { name: "hashfunc", doc: "function of the hash; default: shard_hash_func of the configuration" },
  { name: "hash_expr", doc: "SQL expression of the hash, in place of function and column" },
  { name: "hashexpr", doc: "the same" },
];

/** SQL of a row's hash; undefined when no key is given.
 * @throws UsageError when it is more than one expression */
export function hashExpression(table: HandledTable): string | undefined {
  const { arguments: values, config } = table;
  const expression = values.get("hash_expr") ?? values.get("hashexpr");
  if (expression !== undefined) return oneExpression(table, expression);
  const key = hashKey(values);
  if (key === undefined) return undefined;
  return oneExpression(
    table,
    `${values.get("hashfunc") ?? config.get("shard_hash_func")}(${quoteIdent(key)})`,
  );
}

function oneExpression({ name }: HandledTable, hash: string): string {
  const flaw = whyNotBetweenParentheses(hash);
  if (flaw === undefined) return hash;
  throw new UsageError(`hash of ${name} ${flaw}`, { hint: `It is one SQL expression: ${hash}` });
}

/** The column that is hashed; undefined when there is none, or an expression. */
export function hashKey(values: HandledTable["arguments"]): string | undefined {
  if (values.has("hash_expr") || values.has("hashexpr")) return undefined;
  const key = values.get("hash_key") ?? values.get("key");
  return key === "" ? undefined : key;
}

/** Settings of Skytools 3.12, or of 3.2. */
interface ShardInfo {
  readonly shard_nr?: number;
  readonly shard_mask?: number;
  readonly shard_count?: number;
  readonly part_nr?: number;
  readonly max_part?: number;
}

/** Reads the node's number. The original's older and newer settings are both understood.
 * @throws SkytoolsError SHARD, ConfigError
 * Source: spec/londiste.md 12.5 */
export async function loadShard(local: Database, config: Config): Promise<Shard> {
  const sql = config.get("shard_info_sql");
  const flaw = whyNotBetweenParentheses(sql);
  if (flaw !== undefined) throw config.error("shard_info_sql", `${flaw}: it is one query`);
  const rows = await local.query<{ info: string }>(
    `select pg_catalog.to_jsonb(info)::text as info from (${sql}) as info`,
  );
  const info = JSON.parse(rows[0]?.info ?? "{}") as ShardInfo;
  const number = info.shard_nr ?? info.part_nr;
  const mask = info.shard_mask ?? info.max_part;
  const count = info.shard_count ?? (mask ?? 0) + 1;
  if (rows.length !== 1 || number === undefined || mask === undefined) {
    throw shardError(
      `Error loading shard info: ${rows.length} row(s) of shard_nr, shard_mask, shard_count`,
      local,
    );
  }
  if (count < 1 || (count & (count - 1)) !== 0 || mask !== count - 1) {
    throw shardError(`Invalid shard info: shard_mask=${mask}, shard_count=${count}`, local);
  }
  if (number < 0 || number >= count) {
    throw shardError(`Invalid shard nr: shard_nr=${number}, shard_count=${count}`, local);
  }
  return { number: BigInt(number), mask: BigInt(mask) };
}

function shardError(message: string, local: Database): SkytoolsError {
  return new SkytoolsError("SHARD", `${message} (${local.label})`, {
    retry: "later",
    hint: "See shard_info_sql; shard_count is a power of two, shard_mask is shard_count - 1.",
  });
}

/** Whether an event belongs to a shard: its extra3 carries the hash that the trigger has computed.
 * @throws SkytoolsError SHARD */
export function isOfShard(shard: Shard, table: string, event: PgqEvent): boolean {
  if (event.extra3 === null) {
    throw new SkytoolsError("SHARD", `extra3 not filled on ${table} (event ${event.id})`, {
      retry: "later",
      hint: "The trigger on the root lacks ev_extra3='hash='||...; set the table's handler there too.",
    });
  }
  const hash = urlDecodeRow(event.extra3).get("hash");
  if (hash === undefined || hash === null || !/^-?\d+$/.test(hash)) {
    throw new SkytoolsError("SHARD", `extra3 does not have 'hash' key: ${table} (event ${event.id})`, {
      retry: "later",
    });
  }
  return (BigInt(hash) & shard.mask) === shard.number;
}

export function shardCondition(hash: string, shard: Shard): string {
  return `(${hash} & ${shard.mask}) = ${shard.number}`;
}

/** Source: spec/londiste.md 12.5 */
export const shardHandler: Handler = {
  name: "shard",
  summary: "one table split into several: a node has the rows whose hash is its own",
  doc: `Register it on the root and on all nodes: there the trigger puts the hash into the events, here it decides. A
row whose hash_key changes moves to the node of its new hash, where the column is NOT NULL and the trigger is the usual one; a
hash_expr that changes leaves the row where it was. The queue of a branch gets only events of its rows.`,
  arguments: [
    ...shardArguments,
    {
      name: "disable_replay",
      doc: "true: nothing is copied or applied, events only go on",
      choices: ["true", "false", "1", "0"],
    },
    ignoreTruncateArgument,
    encodingArgument,
  ],
  create: (table) => {
    const hash = hashExpression(table);
    if (hash === undefined) throw new UsageError("Specify hash key field as hash_key argument");
    const isDisabled = ["true", "1"].includes(table.arguments.get("disable_replay") ?? "");
    return shardTable(table, hash, isDisabled);
  },
};

function shardTable(table: HandledTable, hash: string, isDisabled: boolean): TableHandler {
  return {
    needsTable: !isDisabled,
    copiesRows: !isDisabled,
    isComplete: false,
    ignoresTruncate: isDisabled || ignoresTruncate(table),
    repairsText: repairsText(table),
    registration: isDisabled ? ["virtual_table"] : [`ev_extra3='hash='||${hash}`],
    keyColumns: [hashKey(table.arguments) ?? []].flat(),
    rowCondition: async (local) => shardCondition(hash, await loadShard(local, table.config)),
    forward: async (local) => {
      const shard = await loadShard(local, table.config);
      return (event) => (event.type === "R" || isOfShard(shard, table.name, event) ? event : undefined);
    },
    open: async (batch) => {
      const shard = await loadShard(batch.target, table.config);
      return {
        row: async (event) => {
          if (isDisabled || !isOfShard(shard, table.name, event.event)) return;
          const { operation, key } = event;
          await batch.change(event, table.destination, { operation, key, row: event.row() });
        },
        flush: async () => {},
      };
    },
  };
}

export const partHandler: Handler = { ...shardHandler, name: "part", summary: "old name of shard", doc: "" };
