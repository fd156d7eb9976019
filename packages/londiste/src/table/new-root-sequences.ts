import type { CascadeAdmin, NewRoot } from "@skytools/pgq/cascade";
import { type Database, DatabaseError, type Log, quoteFqIdent, quoteIdent } from "@skytools/skytools";

/* A root publishes its sequences ahead of their use, now and then: one that is used fast gets past what was published. So a new
 * root looks for itself what was handed out before it hands out more. The others learn from it. */

/** Sequences of a new root go beyond what the old one has handed out; beyond the rows that are here when that cannot be asked. */
export const newRootSequences: NewRoot = {
  action: "bring the sequences beyond what the old root has handed out",
  prepare: async ({ job: { log }, queueName }: CascadeAdmin, taker, old) => {
    const used =
      (old === undefined ? undefined : await positionsOf(old, queueName, log)) ??
      (await highestInColumns(taker, queueName, log));
    for (const { name, value } of used) await moveForward(taker, queueName, name, value);
  },
};

interface Position {
  readonly name: string;
  /** the highest that is in use */
  readonly value: bigint;
}

const localSequences = `
  select s.nr, s.seq_name as name, c.oid
    from londiste.seq_info s
   cross join lateral londiste.split_fqname(s.seq_name) f
    join pg_catalog.pg_namespace n on n.nspname = f.schema_part
    join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = f.name_part and c.relkind = 'S'
   where s.queue_name = $1 and s.local`;

/** @returns undefined when they cannot be read: the old root writes no more by now, there must be a new one */
async function positionsOf(
  old: Database,
  queueName: string,
  log: Log,
): Promise<readonly Position[] | undefined> {
  try {
    return await old.autocommitted(() =>
      old.query<{ name: string; value: bigint }>(
        `select name, pg_catalog.pg_sequence_last_value(oid) as value from (${localSequences}) s
          where pg_catalog.pg_sequence_last_value(oid) is not null order by nr`,
        [queueName],
      ),
    );
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    log.warn(`the sequences of ${old.label} cannot be read: ${error.message}`);
    return undefined;
  }
}

/** The highest value in columns that take theirs from a sequence, where an index has it at its end. */
async function highestInColumns(taker: Database, queueName: string, log: Log): Promise<readonly Position[]> {
  const columns = await taker.autocommitted(() =>
    taker.query<{ name: string; table: string; column: string }>(
      `select s.name, tn.nspname || '.' || t.relname as table, a.attname as column
         from (${localSequences}) s
         join pg_catalog.pg_sequence q on q.seqrelid = s.oid and q.seqincrement > 0 and not q.seqcycle
         join (select d.objid as seq, d.refobjid as rel, d.refobjsubid as nr from pg_catalog.pg_depend d
                where d.classid = 'pg_catalog.pg_class'::regclass and d.refclassid = 'pg_catalog.pg_class'::regclass
                  and d.refobjsubid > 0 and d.deptype in ('a', 'i')
               union
               select d.refobjid, f.adrelid, f.adnum from pg_catalog.pg_depend d
                 join pg_catalog.pg_attrdef f on f.oid = d.objid
                where d.classid = 'pg_catalog.pg_attrdef'::regclass and d.refclassid = 'pg_catalog.pg_class'::regclass) u
           on u.seq = s.oid
         join pg_catalog.pg_class t on t.oid = u.rel and t.relkind in ('r', 'p')
         join pg_catalog.pg_namespace tn on tn.oid = t.relnamespace
         join pg_catalog.pg_attribute a on a.attrelid = u.rel and a.attnum = u.nr
                                       and a.atttypid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
        where exists (
              select from pg_catalog.pg_index i
                join pg_catalog.pg_class ic on ic.oid = i.indexrelid
                join pg_catalog.pg_am am on am.oid = ic.relam and am.amname = 'btree'
               where i.indrelid = t.oid and i.indkey[0] = a.attnum and i.indpred is null and i.indisvalid)
        order by s.nr`,
      [queueName],
    ),
  );
  const found: Position[] = [];
  for (const { name, table, column } of columns) {
    try {
      const value = await taker.autocommitted(() =>
        taker.queryValue<bigint | null>(
          `select max(${quoteIdent(column)})::int8 from ${quoteFqIdent(table)}`,
        ),
      );
      if (value != null) found.push({ name, value });
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      log.warn(`sequence ${name} may be behind, table ${table} cannot be read: ${error.message}`);
    }
  }
  return found;
}

/** Leaves alone what is not here, and a sequence that would be at its end: a row with that value took it from somewhere else. */
async function moveForward(taker: Database, queueName: string, name: string, value: bigint): Promise<void> {
  await taker.autocommitted(() =>
    taker.query(
      `select pgq.seq_setval(name, $3::int8) from (${localSequences}) s
         join pg_catalog.pg_sequence q on q.seqrelid = s.oid and q.seqincrement > 0 and $3::int8 < q.seqmax
        where name = $2`,
      [queueName, name, value],
    ),
  );
}
