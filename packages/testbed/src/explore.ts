/** What can happen next in some state of a model. */
export interface Move<World> {
  readonly name: string;
  /** @throws Error when an invariant is broken by it */
  readonly make: () => World;
}

/** null: the move turned out to be none */
type Made<World> = World | null;

export interface Exploration {
  /** different states that were reached */
  readonly states: number;
  /** the shortest way to a broken invariant, with what was broken at its end; undefined when there is none */
  readonly failure: string | undefined;
}

/** Reaches every state of a model, nearest first, and checks each. A model has few states when its worlds are plain data and what
 * may happen is counted in them.
 * @param check throws for a state that must not be */
export async function explore<World>(
  start: World,
  movesOf: (world: World) => readonly Move<Made<World> | Promise<Made<World>>>[],
  check: (world: World) => void | Promise<void>,
): Promise<Exploration> {
  const seen = new Set([JSON.stringify(start)]);
  let layer: { readonly world: World; readonly way: readonly string[] }[] = [{ world: start, way: [] }];
  while (layer.length > 0) {
    const next: typeof layer = [];
    for (const { world, way } of layer) {
      for (const move of movesOf(world)) {
        const longer = [...way, move.name];
        try {
          const reached = await move.make();
          if (reached === null) continue;
          const key = JSON.stringify(reached);
          if (seen.has(key)) continue;
          seen.add(key);
          await check(reached);
          next.push({ world: reached, way: longer });
        } catch (error) {
          return { states: seen.size, failure: `${longer.join(", ")}: ${String(error)}` };
        }
      }
    }
    layer = next;
  }
  return { states: seen.size, failure: undefined };
}
