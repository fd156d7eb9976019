import { crashPoint, type Database } from "@skytools/skytools";

/** Commits what a batch has changed on the target, with the note that it was done. The queue learns of it afterwards. */
export async function commitTarget(target: Database): Promise<void> {
  crashPoint("consumer.before-target-commit");
  await target.commit();
  crashPoint("consumer.after-target-commit");
}
