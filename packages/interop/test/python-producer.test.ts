import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { waitFor } from "@skytools/testbed";
import { iniFile } from "./fixture/ini-file.js";
import { original, skipWithout } from "./fixture/originals.js";
import { runPython } from "./fixture/python-program.js";
import { insertEvents } from "./fixture/queue.js";
import { Stack } from "./fixture/stack.js";

describe("the original python library over our PgQ", { skip: skipWithout("pgqd", "python3-pgq") }, () => {
  it("produces events one by one and in bulk", async () => {
    await using stack = await Stack.start(["pgq"], original.binDir);
    const { cluster, connstr } = stack;
    await cluster.query("select pgq.register_consumer('q', 'c')", [], "db");
    const count = 300;
    const { code, stderr } = await runPython("producer.py", [connstr, "q", String(count)]);
    assert.equal(code, 0, stderr);
    const expected = ["single", "bulk"].flatMap((type) =>
      Array.from({ length: count }, (_, at) => ({
        type,
        data: `${type} ${at + 1}`,
        extras: ["e1", null, "", type === "bulk" ? "e\t4\\" : "e\t4"],
        isRecent: true,
      })),
    );
    const events = await waitFor("a batch with events", async () => {
      const [open] = await cluster.query("select pgq.next_batch('q', 'c') as batch", [], "db");
      if (open!.batch === null) return undefined;
      const rows = await cluster.query(
        `select ev_type as type, ev_data as data, array[ev_extra1, ev_extra2, ev_extra3, ev_extra4] as extras,
                now() - ev_time < interval '1 minute' as "isRecent"
           from pgq.get_batch_events($1)`,
        [open!.batch],
        "db",
      );
      if (rows.length > 0) return rows;
      await cluster.query("select pgq.finish_batch($1)", [open!.batch], "db");
      return undefined;
    });
    assert.deepEqual(events, expected);
  });

  it("reports queues and consumers", async () => {
    await using stack = await Stack.start(["pgq"], original.binDir);
    const { cluster, connstr } = stack;
    await cluster.query("select pgq.register_consumer('q', 'reader')", [], "db");
    await insertEvents(cluster, "db", "event", 40);
    await waitFor("ticks with events", async () => {
      const [row] = await cluster.query("select ev_per_sec > 0 as is from pgq.get_queue_info('q')", [], "db");
      return row!.is === true;
    });
    await using ini = await iniFile("pgqadm", { job_name: "status", db: connstr });
    const { code, stdout, stderr } = await runPython("status.py", [ini.file]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /PgQ version: 4\./);
    assert.match(stdout, /^q +3\/7200s +500\/0s\/0s +\d+s +\d+\.\d +\d+$/m);
    // The very first event of a queue is not counted: spec/sql-pgq.md T3.
    assert.match(stdout, /^ {2}reader +\d+s +\d+s +39$/m);
  });
});
