import { type Database, splitFqName } from "@skytools/skytools";
import { getSequenceList, localAddSequence, sequenceExists } from "../londiste-api.ts";
import { syncSequenceList } from "./known-objects.ts";
import type { LocalNode } from "./local-node.ts";

/** Lets the sequences of serial and identity columns follow their tables: a node that becomes the root must not hand out keys
 * that are taken. */
export class OwnedSequences {
  readonly #at: LocalNode;
  readonly #provider: Database;
  /** the set's sequences, and whether they are local; read when a table has the first one */
  #known: Map<string, boolean> | undefined;

  constructor(at: LocalNode, provider: Database) {
    this.#at = at;
    this.#provider = provider;
  }

  /** What was added was rolled back. */
  forget(): void {
    this.#known = undefined;
  }

  /** Within the open transaction.
   * @param destination the local table */
  async add(destination: string): Promise<void> {
    const { job, local, queueName, node } = this.#at;
    const owned = await ownedSequences(local, destination);
    if (owned.length === 0) return;
    this.#known ??= await this.#read();
    for (const { name, column } of owned) {
      const isLocal = this.#known.get(name);
      if (isLocal === true || !(await sequenceExists(local, name))) continue;
      if (node.nodeType !== "root" && isLocal === undefined) {
        job.log.warn(
          `sequence ${name} of ${destination}.${column} is not in the set: it does not follow here`,
        );
        continue;
      }
      await localAddSequence(local, { log: job.log, commit: false }, queueName, name);
      this.#known.set(name, true);
    }
  }

  async #read(): Promise<Map<string, boolean>> {
    const { local, queueName, node } = this.#at;
    if (node.nodeType !== "root") await syncSequenceList(this.#at, this.#provider);
    const sequences = await getSequenceList(local, queueName);
    return new Map(sequences.map(({ name, isLocal }) => [name, isLocal]));
  }
}

/** @returns set-wide names, in order of their columns */
async function ownedSequences(
  local: Database,
  table: string,
): Promise<readonly { readonly name: string; readonly column: string }[]> {
  return local.query<{ name: string; column: string }>(
    `select sn.nspname || '.' || s.relname as name, a.attname as "column"
       from pg_catalog.pg_namespace n
       join pg_catalog.pg_class c on c.relnamespace = n.oid
       join pg_catalog.pg_depend d on d.refobjid = c.oid and d.refclassid = 'pg_catalog.pg_class'::regclass
        and d.classid = 'pg_catalog.pg_class'::regclass and d.deptype in ('a', 'i') and d.refobjsubid > 0
       join pg_catalog.pg_class s on s.oid = d.objid and s.relkind = 'S'
       join pg_catalog.pg_namespace sn on sn.oid = s.relnamespace
       join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = d.refobjsubid
      where n.nspname = $1 and c.relname = $2
      order by a.attnum, s.oid`,
    [...splitFqName(table)],
  );
}
