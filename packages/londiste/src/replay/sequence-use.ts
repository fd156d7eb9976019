import type { Database } from "@skytools/skytools";

/** What `londiste.root_check_seqs` takes by itself. */
const usualBuffer = 10_000n;
/** So many times the use between two looks is the buffer of a sequence; three buffers are published. */
const looksAhead = 3n;

/** Watches how fast the sequences of a root are used: those that move far between two looks are published farther ahead.
 * Source: spec/londiste.md section 10 with its defect */
export class SequenceUse {
  readonly #seen = new Map<string, bigint>();

  /** The node is no root: others use the sequences. */
  forget(): void {
    this.#seen.clear();
  }

  /** Publishes what is used fast; the others have been looked after already. */
  async publish(db: Database, queueName: string): Promise<void> {
    const sequences = await db.query<{ name: string; value: bigint }>(
      `select s.seq_name as name, pg_catalog.pg_sequence_last_value(c.oid) as value
         from londiste.seq_info s
        cross join lateral londiste.split_fqname(s.seq_name) f
         join pg_catalog.pg_namespace n on n.nspname = f.schema_part
         join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = f.name_part and c.relkind = 'S'
        where s.queue_name = $1 and s.local and pg_catalog.pg_sequence_last_value(c.oid) is not null
        order by s.nr`,
      [queueName],
    );
    for (const { name, value } of sequences) {
      const buffer = (value - (this.#seen.get(name) ?? value)) * looksAhead;
      this.#seen.set(name, value);
      if (buffer > usualBuffer) await publishAhead(db, queueName, name, buffer);
    }
    await db.commit();
  }
}

/** The original's schema publishes all sequences alike. */
async function publishAhead(db: Database, queueName: string, name: string, buffer: bigint): Promise<void> {
  const signature = "londiste._publish_seqs(text,bigint,text)";
  if (await db.queryValue<boolean>("select to_regprocedure($1) is not null", [signature])) {
    await db.query("select londiste._publish_seqs($1, $2::int8, $3)", [queueName, buffer, name]);
  } else {
    await db.query("select londiste.root_check_seqs($1, $2::int8)", [queueName, buffer]);
  }
}
