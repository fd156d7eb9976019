import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { lostEventCounter } from "#src/table/lost-events.js";

const event = (type: string, extra1: string | null, extra2: string | null = null) => ({
  id: 1n,
  time: "2026-01-01 00:00:00+00",
  txid: 1n,
  retry: null,
  type,
  data: "",
  extra1,
  extra2,
  extra3: null,
  extra4: null,
});

describe("statistics of lost events", () => {
  it("count changes per table and say whether they can be undone", () => {
    const counter = lostEventCounter();
    counter.add(event("I:id", "public.a"));
    counter.add(event("U:id", "public.a", "id=1&v=old"));
    counter.add(event("D:id", "public.b"));
    counter.add(event("R", "public.c"));
    counter.add(event("pgq.location-info", "q"));
    assert.deepEqual(
      [...counter.statistics()],
      [
        ["table: public.a", "[1, 1, 0, 'can rollback']"],
        ["table: public.b", "[0, 0, 1, 'cannot rollback']"],
        ["truncated_tables", "public.c"],
      ],
    );
  });
});
