export { createTables, type DataSize, dataSize, loadRows, sequence, tables } from "./data-set.ts";
export { type ServerPlace, Session } from "./session.ts";
export { findDifferences } from "./verification.ts";
export { Writers, type WriterWindow } from "./writers.ts";
