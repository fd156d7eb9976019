import { deepEqual } from "node:assert/strict";
import type { Database } from "@skytools/skytools";
import type { Fixture } from "../fixture.ts";
import { EventLog } from "../trigger/event-log.ts";
import { difference, replayFunction } from "./replay.ts";

/** A table `t` whose changes are captured, and a copy of it. */
export interface Captured {
  readonly db: Database;
  /** operations and ids that statements log: `I1 U2` */
  readonly operations: (sql: string) => Promise<string>;
  readonly form: () => Promise<unknown>;
  /** replays what was logged since the last call onto a copy, which then has to be equal */
  readonly replayIsEqual: () => Promise<void>;
}

export const table = "(id int primary key, v text, u int unique)";

/** Makes captured tables in databases of the calling file. */
export function capturing(fixture: Fixture): (definition?: string, form?: string) => Promise<Captured> {
  return async (definition = table, form = "set") => {
    const { db } = await fixture.database();
    await db.execute(`${replayFunction} select pgq.create_queue('q'); create table t ${definition};
    create table copy ${definition.replace(/references t[^),]*/, "")};
    select pgq.create_capture('t', 'cap', 'q', i_form => '${form}')`);
    const log = new EventLog(db);
    return {
      db,
      operations: async (sql) =>
        (await log.of(sql))
          .map((event) => {
            const { op } = JSON.parse(event.type ?? "") as { op: string };
            return `${op[0]}${(JSON.parse(event.data ?? "") as { id?: number }).id ?? ""}`;
          })
          .join(" "),
      form: () => db.queryValue("select form from pgq.get_capture_info('t') where trigger_name = 'cap'"),
      replayIsEqual: async () => {
        await db.execute("select replay('q', 'copy')");
        deepEqual(await difference(db, "t", "copy"), []);
      },
    };
  };
}
