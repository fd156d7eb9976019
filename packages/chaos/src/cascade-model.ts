/** The databases of the set, by the letter of the server that has them. A node may be renamed, its database never. */
export const databases = { n1: "a", n2: "b", n3: "c", n4: "b", n5: "a" } as const;

export type NodeKey = keyof typeof databases;
export type ServerKey = (typeof databases)[NodeKey];

export const nodeKeys = Object.keys(databases) as readonly NodeKey[];
export const serverKeys: readonly ServerKey[] = ["a", "b", "c"];
/** Those that have a queue: the root and the branches. The others are leaves. */
export const queueNodes: readonly NodeKey[] = ["n1", "n2", "n3"];

/** What the set looks like when everything that was drawn so far has been done: the schedule needs nothing but the seed. */
export class CascadeModel {
  readonly #names = new Map<NodeKey, string>(nodeKeys.map((key) => [key, key]));
  readonly #providers = new Map<NodeKey, NodeKey | undefined>([
    ["n1", undefined],
    ["n2", "n1"],
    ["n3", "n1"],
    ["n4", "n1"],
    ["n5", "n2"],
  ]);
  #renames = 0;
  #scripts = 0;
  #failovers = 0;

  get root(): NodeKey {
    return nodeKeys.find((key) => this.providerOf(key) === undefined)!;
  }

  get branches(): readonly NodeKey[] {
    return queueNodes.filter((key) => key !== this.root);
  }

  /** All but the root, providers first. */
  get subscribers(): readonly NodeKey[] {
    return this.#below(this.root);
  }

  #readersOf(provider: NodeKey): NodeKey[] {
    return nodeKeys.filter((key) => this.providerOf(key) === provider);
  }

  #below(provider: NodeKey): NodeKey[] {
    return this.#readersOf(provider).flatMap((key) => [key, ...this.#below(key)]);
  }

  name(key: NodeKey): string {
    return this.#names.get(key)!;
  }

  providerOf(key: NodeKey): NodeKey | undefined {
    return this.#providers.get(key);
  }

  /** Nodes from which this one could get its events, other than the one it does. */
  otherProviders(key: NodeKey): readonly NodeKey[] {
    const below = [key, ...this.#below(key)];
    return queueNodes.filter((each) => each !== this.providerOf(key) && !below.includes(each));
  }

  changeProvider(key: NodeKey, provider: NodeKey): void {
    this.#providers.set(key, provider);
  }

  /** The branch becomes the root, and the root a branch below it.
   * @param isForAll whoever read from the former root reads from the new one from now on */
  switchRoot(branch: NodeKey, isForAll: boolean): void {
    const former = this.root;
    if (isForAll) for (const key of this.#readersOf(former)) this.#providers.set(key, branch);
    this.#providers.set(former, branch);
    this.#providers.set(branch, undefined);
  }

  /** The root is dead: the branch becomes the root, everybody who read from the dead one reads from it, and so will the dead one
   * when it is back. */
  failOver(branch: NodeKey): void {
    const dead = this.root;
    for (const key of this.#readersOf(dead)) this.#providers.set(key, branch);
    this.#providers.set(branch, undefined);
    this.#providers.set(dead, branch);
  }

  /** @returns the new name */
  rename(key: NodeKey): string {
    this.#renames += 1;
    const name = `${key}_${this.#renames}`;
    this.#names.set(key, name);
    return name;
  }

  nextFailover(): number {
    this.#failovers += 1;
    return this.#failovers;
  }

  nextScript(): number {
    this.#scripts += 1;
    return this.#scripts;
  }
}
