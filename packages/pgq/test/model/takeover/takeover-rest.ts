import assert from "node:assert/strict";
import { type ModelNodes, newestTickOf, positionOf, withNode, written } from "./set-world.js";
import { newRootOf, type Situation, type TakeoverWorld } from "./takeover-world.js";
import { workerMoves } from "./worker-moves.js";

/** Brings everything to rest: servers are back, workers work, the command is run again until it changes nothing, and what it says to be
 * paused is resumed.
 * @param isKnown true for a state of which the rest is known: there it ends
 * @returns the states on the way */
export async function settle(
  start: TakeoverWorld,
  { command, root, takers }: Situation,
  isKnown: (world: TakeoverWorld) => boolean,
): Promise<TakeoverWorld[]> {
  const way: TakeoverWorld[] = [{ ...start, nodes: withAllUp(start.nodes, root) }];
  const world = () => way.at(-1)!;
  const taker = () => takers.find((name) => world().nodes[name]!.type === "root") ?? takers[0]!;
  const work = () => {
    const next = workOn(world().nodes);
    way.push(...next.map((nodes) => ({ ...world(), nodes })));
  };
  let paused: readonly string[] = [];
  for (let before = ""; ; ) {
    work();
    if (isKnown(world())) return way;
    if (world().command !== null) {
      const next = await command.next(world());
      way.push(JSON.stringify(next) === JSON.stringify(world()) ? await command.giveUp(world()) : next);
      continue;
    }
    const nodes = JSON.stringify(world().nodes);
    const hasReturned = world().nodes[root]!.isUp;
    const started = nodes === before ? null : await command.start(world(), hasReturned ? root : taker());
    if (started === null) break;
    before = nodes;
    way.push(started);
    paused = [...command.leftOut(started.command!), ...(hasReturned ? [root] : [])].filter(
      (name) => world().nodes[name]!.isPaused,
    );
  }
  const resumed = { isPaused: false, isUptodate: false };
  const going = paused.reduce((nodes, name) => withNode(nodes, name, resumed), world().nodes);
  const isPromoted = going[taker()]!.type === "root";
  way.push({ ...world(), nodes: isPromoted ? written(going, taker()) : going });
  work();
  return way;
}

/** What the workers do until they come to rest: a batch that one refuses it would open for ever. */
function workOn(start: ModelNodes): ModelNodes[] {
  const seen = new Set([JSON.stringify(start)]);
  const way: ModelNodes[] = [];
  for (;;) {
    const next = workerMoves(way.at(-1) ?? start, "at once")
      .map(({ make }) => make())
      .find((nodes) => !seen.has(JSON.stringify(nodes)));
    if (next === undefined) return way;
    seen.add(JSON.stringify(next));
    way.push(next);
  }
}

function withAllUp(nodes: ModelNodes, root: string): ModelNodes {
  return Object.fromEntries(
    Object.entries(nodes).map(([name, node]) => [name, name === root ? node : { ...node, isUp: true }]),
  );
}

/** Throws where the takeover has not come to its end, or something is missing. */
export function checkRest({ nodes, setAside }: TakeoverWorld, { root, oldEvents }: Situation): void {
  const promoted = newRootOf(nodes, root);
  assert.ok(promoted !== undefined, "there is no root");
  const newRoot = nodes[promoted]!;
  for (const [name, node] of Object.entries(nodes)) {
    if (name === promoted || !node.isUp) continue;
    const only = node.events.filter((event) => !newRoot.events.includes(event));
    if (only.length > 0) continue;
    assert.deepEqual(node.events, newRoot.events, `${name} is not as the new root`);
    assert.equal(positionOf(node), newestTickOf(newRoot)!.id, `${name} stands still`);
    assert.ok(!node.isPaused, `${name} is paused`);
    assert.notEqual(node.provider, root, `${name} reads from the dead root`);
  }
  const kept = [...newRoot.events, ...setAside, ...Object.values(nodes).flatMap(({ events }) => events)];
  const lost = oldEvents.filter((event) => !kept.includes(event));
  assert.deepEqual(lost, [], "events of the old root are dropped");
}
