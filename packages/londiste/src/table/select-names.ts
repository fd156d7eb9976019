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
      const isMatch = (each: string) => pattern.test(each);
      for (const candidate of candidates.filter(isMatch)) selected.add(candidate);
      if (!candidates.some(isMatch) && !selection.done.some(isMatch)) {
        log.warn(
          `${fullName(name)} matches nothing${selection.why === undefined ? "" : `: ${selection.why}`}`,
        );
      }
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

/** Names that a command looks at: those that are given, whether there are such tables or not, and what globs match.
 * @param candidates what globs look at; all of them are meant when nothing is given
 * @throws UsageError for a glob that matches nothing */
export function namesAskedFor(given: readonly string[], candidates: readonly string[]): string[] {
  if (given.length === 0) return [...candidates];
  const names = given.map(fullName).flatMap((name) => {
    if (!/[*?]/.test(name)) return [name];
    const pattern = globPattern(name);
    const found = candidates.filter((candidate) => pattern.test(candidate));
    if (found.length === 0) {
      throw new UsageError(`${name} matches no table that is replicated here`, { hint: "See tables." });
    }
    return found;
  });
  return [...new Set(names)];
}

/** A glob of names as a pattern. What stands between two stars is looked for once, behind what was found before, so that no glob
 * takes long. */
export function globPattern(glob: string): RegExp {
  const pieces = glob
    .split(/\*+/)
    .map((piece) => piece.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("?", "."));
  const [first, ...others] = pieces;
  const last = others.pop();
  const between = others.map((piece, nr) => `(?=(?<piece${nr}>.*?${piece}))\\k<piece${nr}>`).join("");
  return new RegExp(`^${first}${between}${last === undefined ? "" : `.*${last}`}$`, "su");
}
