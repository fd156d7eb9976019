import { type Database, SkytoolsError } from "@skytools/skytools";
import type { ModulePlan } from "./module-plan.ts";

/** The ticker of release 2 calls functions that the upgrade removes: it has to be stopped first. It is known by the last
 * statement of its session, as far as we may see that.
 * @throws SkytoolsError OLD_TICKER
 * Source: spec/scripts.md 11.1, 11.2 */
export async function checkOldTicker(db: Database, plans: readonly ModulePlan[]): Promise<void> {
  if (!plans.some(({ module, installed }) => module === "pgq" && installed.startsWith("2"))) return;
  const [session] = await db.query<{ pid: number; place: string }>(
    `select pid, coalesce(host(client_addr), 'this host') as place
       from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()
        and query ~* 'pgq\\.(ticker|maint_(rotate|retry))' and query !~* 'pg_stat_activity'
      order by 1 limit 1`,
  );
  if (session === undefined) return;
  throw new SkytoolsError(
    "OLD_TICKER",
    `a ticker of release 2 runs on ${db.label} (pid ${session.pid}, from ${session.place})`,
    {
      hint: "Stop it first, and start pgqd afterwards. --force goes on nevertheless.",
    },
  );
}
