import type { NodeKey } from "./cascade-model.ts";

/** The databases of the set, as those who look at them need them. */
export interface SetDatabases {
  query<R extends Record<string, unknown> = Record<string, unknown>>(
    key: NodeKey,
    sql: string,
    parameters?: readonly unknown[],
  ): Promise<R[]>;
  /** connect string past the proxy, as applications use it */
  directConnstr(key: NodeKey): string;
}
