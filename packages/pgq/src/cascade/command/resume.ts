import type { CascadeAdmin } from "../cascade-admin.ts";
import { type PauseResult, setPaused } from "./pause.ts";

/** Lets a paused consumer go on, and waits until its process has acknowledged that.
 * @param timeoutSeconds 0: no limit
 * @throws UsageError, SkytoolsError CASCADE_TIMEOUT */
export async function resumeConsumer(admin: CascadeAdmin, timeoutSeconds: number): Promise<PauseResult> {
  return setPaused(admin, false, timeoutSeconds);
}
