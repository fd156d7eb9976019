import type { Log } from "@skytools/skytools";
import { UsageError } from "@skytools/skytools";
import { fullName } from "../names.ts";

export interface NameSelection {
  /** as given: names or globs with `*` and `?` */
  readonly given: readonly string[];
  /** --all: everything, when no names are given */
  readonly isAll: boolean;
  /** what can be taken */
  readonly candidates: readonly string[];
  /** what is done already */
  readonly done: readonly string[];
  /** take names that are no candidates too */
  readonly isForced?: boolean;
  /** leave names that are no candidates out instead of refusing */
  readonly isLenient?: boolean;
  /** why a name is no candidate, for the message */
  readonly why?: string;
  /** what to do when a name is no candidate */
  readonly hint?: string;
}

/** Picks table or sequence names for a command. Unqualified names and globs look into schema public.
 * @throws UsageError `Cannot proceed` when a name is not available
 * Source: spec/londiste.md section 2 "Name arguments" */
export function selectNames(log: Log, selection: NameSelection): string[] {
  const { given, candidates } = selection;
  if (given.length === 0) {
    if (selection.isAll) return [...candidates];
    log.info("what to do ?", { hint: "Give names, or --all." });
    return [];
  }
  const selected = new Set<string>();
  let isComplete = true;
  for (const name of given) {
    if (/[*?]/.test(name)) {
      const pattern = globPattern(fullName(name));
      for (const candidate of candidates) if (pattern.test(candidate)) selected.add(candidate);
      continue;
    }
    const full = fullName(name);
    if (candidates.includes(full)) selected.add(full);
    else if (selection.done.includes(full)) log.info(`${full} already processed`);
    else if (selection.isForced) {
      log.warn(`${full} not available, but --force is used`);
      selected.add(full);
    } else {
      log.warn(`${full} not available${selection.why === undefined ? "" : `: ${selection.why}`}`);
      if (!selection.isLenient) isComplete = false;
    }
  }
  if (!isComplete) {
    throw new UsageError("Cannot proceed", selection.hint === undefined ? {} : { hint: selection.hint });
  }
  return [...selected];
}

/** A glob of names as a pattern. */
export function globPattern(glob: string): RegExp {
  const text = glob
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*/g, ".*")
    .replace(/\?/g, ".");
  return new RegExp(`^${text}$`, "su");
}
