import type { Database } from "@skytools/skytools";

/** Whether the same text has other bytes on one server than on the other. A database without encoding has bytes, and no text. */
export async function differInEncoding(one: Database, other: Database): Promise<boolean> {
  const [a, b] = [await encodingOf(one), await encodingOf(other)];
  return a !== b && a !== "SQL_ASCII" && b !== "SQL_ASCII";
}

async function encodingOf(db: Database): Promise<string | undefined> {
  return db.queryValue<string>("select current_setting('server_encoding')");
}
