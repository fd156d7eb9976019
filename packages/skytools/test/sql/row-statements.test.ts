import assert from "node:assert/strict";
import { test } from "node:test";
import { deleteRowSql, insertRowSql, UsageError, updateRowSql } from "#src/index.js";

test("statements for one row", () => {
  const values = new Map([
    ["id", "1"],
    ["Name", "it's"],
    ["x", null],
  ]);
  assert.equal(insertRowSql("T.a", values), `insert into "T".a (id, "Name", x) values ('1', 'it''s', null);`);
  assert.equal(
    updateRowSql("t", values, ["id"]),
    `update only public.t set "Name" = 'it''s', x = null where id = '1';`,
  );
  assert.equal(updateRowSql("t", values, ["id", "Name", "x"]), undefined);
  assert.equal(
    deleteRowSql("t", values, ["x", "id"]),
    "delete from only public.t where x = null and id = '1';",
  );
  assert.throws(() => updateRowSql("t", values, []), UsageError);
  assert.throws(() => deleteRowSql("t", values, ["other"]), UsageError);
});
