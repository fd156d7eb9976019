import type { BackupSet } from "../backup/set-info.ts";

export interface KeepRules {
  /** finished sets at all times, at least one */
  readonly count: number;
  /** undefined: no window */
  readonly windowSeconds: number | undefined;
  readonly nowMs: number;
}

export interface KeepPlan {
  readonly kept: readonly BackupSet[];
  readonly expired: readonly BackupSet[];
}

/** Which backup sets stay: the newest ones that can be restored, those that the window needs, those marked as kept, and what
 * incremental ones among them are based on. Sets of another cluster are not looked at: they stay.
 * @param sets newest first
 * @param isRestorable whether all that makes a set consistent is there */
export function planKeep(
  sets: readonly BackupSet[],
  rules: KeepRules,
  isRestorable: (set: BackupSet) => boolean,
): KeepPlan {
  const system = sets[0]?.info.systemIdentifier;
  const own = sets.filter((set) => set.info.systemIdentifier === system);
  const good = own.filter(isRestorable);
  const kept = new Set<BackupSet>(sets.filter((set) => set.info.systemIdentifier !== system));
  const keepWithBase = (set: BackupSet | undefined): void => {
    if (set === undefined || kept.has(set)) return;
    kept.add(set);
    keepWithBase(own.find((each) => each.info.id === set.info.basedOn));
  };
  for (const set of good.slice(0, Math.max(1, rules.count))) keepWithBase(set);
  if (rules.windowSeconds !== undefined) {
    const begin = rules.nowMs - rules.windowSeconds * 1000;
    const within = good.filter((set) => Date.parse(set.info.stopTime) > begin);
    for (const set of within) keepWithBase(set);
    // Recovery to the first moment of the window begins with a set from before it.
    keepWithBase(good.find((set) => Date.parse(set.info.stopTime) <= begin));
  }
  for (const set of own.filter((each) => each.info.isKept === true)) keepWithBase(set);
  // A set that cannot be restored yet, because its WAL is still on the way, is the newest one's matter.
  for (const set of own.slice(0, own.indexOf(good[0]!) < 0 ? own.length : own.indexOf(good[0]!)))
    keepWithBase(set);
  return { kept: sets.filter((set) => kept.has(set)), expired: sets.filter((set) => !kept.has(set)) };
}
