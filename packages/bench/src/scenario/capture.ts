import { Database } from "@skytools/skytools";
import { moduleDatabase } from "@skytools/testbed";
import { timed } from "../measure.ts";
import { compiledPgqDatabase, originalPgqBinDir, plOnlyPgqDatabase } from "../peer/original-pgq.ts";
import type { BenchOptions, Contest, Contestant, Scenario } from "../scenario.ts";
import { benchServer } from "../server.ts";

/** A way to capture the rows of `bench_rows` into the queue `bench`. */
interface Capture {
  readonly name: string;
  readonly connstr: string;
  /** statements that attach the trigger; empty for none */
  readonly attach: string;
}

const trigger = (call: string): string =>
  `create trigger bench_capture after insert or update or delete on bench_rows for each row execute function ${call}`;

/** Rows a second that a writer gets through, with each way of capturing them. */
export const capture: Scenario = {
  name: "capture",
  summary: "rows a second through capture triggers: generated, generic, and the original C and PL/pgSQL ones",
  async *contests(options: BenchOptions): AsyncIterable<Contest> {
    await using server = await benchServer({ preferOriginal: true });
    const ours = await moduleDatabase(server, ["pgq"]);
    const captures: Capture[] = [{ name: "no trigger", connstr: ours, attach: "" }];
    const hasOriginal = originalPgqBinDir() !== undefined;
    if (hasOriginal) {
      const compiled = await compiledPgqDatabase(server);
      const plOnly = await plOnlyPgqDatabase(server);
      for (const kind of ["logutriga", "sqltriga", "jsontriga"]) {
        captures.push({ name: `C ${kind}`, connstr: compiled, attach: trigger(`pgq.${kind}('bench')`) });
        captures.push({
          name: `upstream PL ${kind}`,
          connstr: plOnly,
          attach: trigger(`pgq.${kind}('bench')`),
        });
      }
    }
    for (const kind of ["logutriga", "sqltriga", "jsontriga"]) {
      captures.push({ name: `generic ${kind}`, connstr: ours, attach: trigger(`pgq.${kind}('bench')`) });
    }
    for (const format of ["json", "urlenc"]) {
      for (const form of ["row", "set"]) {
        captures.push({
          name: `generated ${format}, ${form} form`,
          connstr: ours,
          attach: `select pgq.create_capture('bench_rows', 'bench_capture', 'bench', i_format => '${format}', i_form => '${form}')`,
        });
      }
    }
    for (const connstr of new Set(captures.map((one) => one.connstr))) await prepare(connstr);
    const baseline = hasOriginal ? "C logutriga" : "no trigger";
    const single = Math.max(1000, Math.round(20_000 * options.scale));
    const bulk = Math.max(1000, Math.round(100_000 * options.scale));
    yield {
      title: `capture, ${single} statements of one row in one transaction`,
      unit: "rows",
      baseline,
      contestants: captures.map((one) =>
        contestant(
          one,
          single,
          `do $$ begin for i in 1..${single} loop
            insert into bench_rows values (i, 'customer ' || i, i % 100, now(), i * 1.5, null); end loop; end $$`,
        ),
      ),
    };
    yield {
      title: `capture, one statement of ${bulk} rows`,
      unit: "rows",
      baseline,
      contestants: captures.map((one) =>
        contestant(
          one,
          bulk,
          `insert into bench_rows
            select i, 'customer ' || i, i % 100, now(), i * 1.5, null from generate_series(1, ${bulk}) i`,
        ),
      ),
    };
  },
};

async function prepare(connstr: string): Promise<void> {
  await using database = await Database.open(connstr, { autocommit: true });
  await database.execute(`create table bench_rows (id int primary key, name text, kind int, changed timestamptz,
    amount numeric(12,2), note text); select pgq.create_queue('bench')`);
}

function contestant(one: Capture, rows: number, sql: string): Contestant {
  return {
    name: one.name,
    async run() {
      await using database = await Database.open(one.connstr, { autocommit: true });
      if (one.attach !== "") await database.execute(one.attach);
      const sample = await timed(rows, () => database.execute(sql));
      await database.execute(`
        drop trigger if exists bench_capture on bench_rows;
        do $$ begin if to_regproc('pgq.drop_capture') is not null then
          perform pgq.drop_capture('bench_rows', 'bench_capture'); end if; end $$;
        truncate bench_rows`);
      await truncateEvents(database);
      return sample;
    },
  };
}

/** Empties the queue between runs so that every run starts alike. */
export async function truncateEvents(database: Database): Promise<void> {
  await database.execute(`do $$ declare t text; begin
    for t in select queue_data_pfx || '_' || n from pgq.queue, generate_series(0, queue_ntables - 1) n
    loop execute 'truncate ' || t; end loop; end $$`);
}
