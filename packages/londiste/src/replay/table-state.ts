import { SkytoolsError } from "@skytools/skytools";

/** Where a replicated table stands on this node, as stored in `londiste.table_info.merge_state`.
 *
 * | state | stored as | what is true |
 * |---|---|---|
 * | none | NULL | not copied; events of the table are ignored |
 * | in-copy | `in-copy` | the copy process loads the table; nothing of it is visible yet |
 * | catching-up | `catching-up` | the rows are there; the copy process replays this table alone |
 * | wanna-sync | `wanna-sync:<tick>` | the copy process has applied every batch before the one ending at `tick` or later |
 * | do-sync | `do-sync:<tick>` | the worker stands before the batch ending at `tick` and waits for the copy process |
 * | ok | `ok` | the worker applies the table's events |
 *
 * Source: spec/londiste.md 7.1 */
export type TableState =
  | { readonly kind: "none" | "in-copy" | "catching-up" | "ok" }
  | { readonly kind: "wanna-sync" | "do-sync"; readonly tick: bigint };

export type TableStateKind = TableState["kind"];

/** Reads `merge_state`. `?` is an old spelling of `ok`.
 * @throws SkytoolsError TABLE_STATE */
export function parseTableState(stored: string | null): TableState {
  if (stored === null) return { kind: "none" };
  if (stored === "ok" || stored === "?") return { kind: "ok" };
  if (stored === "in-copy" || stored === "catching-up") return { kind: stored };
  const sync = /^(wanna-sync|do-sync):(\d{1,19})$/.exec(stored);
  if (sync === null) throw new SkytoolsError("TABLE_STATE", `Bad table state: ${stored}`);
  return { kind: sync[1] as "wanna-sync" | "do-sync", tick: BigInt(sync[2]!) };
}

/** The text for `merge_state`. */
export function formatTableState(state: TableState): string | null {
  switch (state.kind) {
    case "none":
      return null;
    case "wanna-sync":
    case "do-sync":
      return `${state.kind}:${state.tick}`;
    case "in-copy":
    case "catching-up":
    case "ok":
      return state.kind;
  }
}

/** A copy process has work to do in these states: the worker keeps one running. */
export function needsCopyProcess(state: TableState): boolean {
  return state.kind !== "none" && state.kind !== "ok";
}
