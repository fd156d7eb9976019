import assert from "node:assert/strict";
import { test } from "node:test";
import { QueryBuilder } from "#src/index.js";

test("queries from fragments: values are bound, fragments without values stay away", () => {
  const query = new QueryBuilder("select '{{}}' from {table_oid:regclass} where id = {id}", {
    table_oid: 5,
    id: "a",
    none: undefined,
    nul: null,
  })
    .add("and a = {id}")
    .add("and b = {none}")
    .add("and c = {none:int|default_c()}")
    .add("and d is not distinct from {nul:text}")
    .add("limit {limit:bigint}", { limit: 10n });
  assert.equal(
    query.sql,
    "select '{}' from $1::regclass where id = $2 and a = $3 and c = default_c() and d is not distinct from $4::text limit $5::bigint",
  );
  assert.deepEqual(query.parameters, [5, "a", "a", null, 10n]);
  assert.throws(() => new QueryBuilder("select {x}", {}), /query parameter "x" has no value/);
});
