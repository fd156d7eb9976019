import type { Database } from "@skytools/skytools";
import { publishSequence } from "../londiste-api.ts";

/** The buffer that `londiste.root_check_seqs` uses by default. */
const usualBuffer = 10_000n;
/** The buffer of a sequence is its use between two looks times this; the published value is three buffers ahead. */
const looksAhead = 3n;

/** Watches how fast the sequences of a root are used: those that move far between two looks are published farther ahead.
 * Source: spec/londiste.md section 10 with its defect */
export class SequenceUse {
  readonly #seen = new Map<string, bigint>();

  /** The node is no root: others use the sequences. */
  forget(): void {
    this.#seen.clear();
  }

  /** Publishes the sequences that are used fast; rootCheckSequences() has seen to the others. */
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
      if (buffer > usualBuffer) await publishSequence(db, queueName, name, buffer);
    }
    await db.commit();
  }
}
