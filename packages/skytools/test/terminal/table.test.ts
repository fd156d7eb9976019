import assert from "node:assert/strict";
import { test } from "node:test";
import { renderTable } from "#src/index.js";

test("columns are at least 15 wide plus two, the last is not padded, two blank lines follow", () => {
  const rows = [
    { table: "public.a_rather_long_name", state: "ok", attrs: null },
    { table: "public.b", state: "in-copy", attrs: "x" },
  ];
  assert.equal(
    renderTable(rows, { title: "Tables" }),
    [
      "Tables",
      "table                      state            attrs",
      "-------------------------  ---------------  ---------------",
      "public.a_rather_long_name  ok               ",
      "public.b                   in-copy          x",
      "",
      "",
      "",
    ].join("\n"),
  );
});

test("no rows print nothing", () => {
  assert.equal(renderTable([], { title: "Tables" }), "");
});

test("columns can be chosen, titled and formatted; wide characters count once", () => {
  const text = renderTable([{ a: 1n, b: 2, c: "é😀" }], {
    columns: ["c", { key: "a", title: "Size", format: (value, row) => `${value} of ${row.b}` }],
  });
  assert.deepEqual(text.split("\n").slice(0, 3), [
    "c                Size",
    "---------------  ---------------",
    "é😀               1 of 2",
  ]);
});
