import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError, classifyError, classifySqlState, DatabaseError } from "#src/index.js";

test("SQLSTATEs: lost or refused sessions, what may pass later, what is wrong for good", () => {
  for (const state of ["57P01", "57P02", "57P03", "53300", "08006", "25P03"]) {
    assert.equal(classifySqlState(state), "reconnect", state);
  }
  for (const state of ["40001", "40P01", "55P03", "57014", "53100", "58030", "25006"]) {
    assert.equal(classifySqlState(state), "later", state);
  }
  for (const state of ["42601", "23505", "42P01", "28P01", "3D000", ""])
    assert.equal(classifySqlState(state), "no", state);
});

test("socket errors mean a new connection, our own errors know themselves, others are for good", () => {
  const socketError = Object.assign(new Error("read"), { code: "ECONNRESET" });
  assert.equal(classifyError(socketError), "reconnect");
  assert.equal(
    classifyError(new AggregateError([Object.assign(new Error("x"), { code: "ECONNREFUSED" })])),
    "reconnect",
  );
  assert.equal(classifyError(new Error("Connection terminated unexpectedly")), "reconnect");
  assert.equal(classifyError(new DatabaseError("x", { retry: "later" })), "later");
  assert.equal(classifyError(new ConfigError("x")), "no");
  assert.equal(classifyError(new TypeError("x")), "no");
  assert.equal(classifyError("x"), "no");
});
