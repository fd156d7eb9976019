import { accepts, type Grammar, type Leaf, repeat, sequence, symbol } from "./grammar.ts";
import type { Token } from "./token.ts";

/** What is still to come: a stack of grammar, the next part on top. */
export interface Rest {
  readonly next: Grammar;
  readonly below: Rest | undefined;
}

/** A word of the statement that is kept, newest first. */
interface Kept {
  readonly key: string;
  readonly token: Token;
  readonly before: Kept | undefined;
}

/** One way to read the words so far, of one of the alternatives that were to be matched. */
export interface Path<T> {
  readonly of: T;
  readonly rest: Rest | undefined;
  readonly kept: Kept | undefined;
}

/** A word that may come next; `undefined` as leaf: the end. */
export interface Expectation<T> {
  readonly leaf: Leaf | undefined;
  readonly after: Rest | undefined;
  readonly path: Path<T>;
}

export function startPath<T>(of: T, grammar: Grammar): Path<T> {
  return { of, rest: { next: grammar, below: undefined }, kept: undefined };
}

/** What may come next on any of the paths, in the order of the grammar. */
export function expectations<T>(paths: readonly Path<T>[]): Expectation<T>[] {
  return paths.flatMap((path) =>
    leaves(path.rest).map((expected) => ({ leaf: expected.leaf, after: expected.after, path })),
  );
}

/** The paths on which this word may come next; the first of them counts where several lead to the end. */
export function step<T>(paths: readonly Path<T>[], token: Token): Path<T>[] {
  const next: Path<T>[] = [];
  for (const { leaf, after, path } of expectations(paths)) {
    if (leaf === undefined || !accepts(leaf, token)) continue;
    const kept = leaf.key === undefined ? path.kept : { key: leaf.key, token, before: path.kept };
    next.push({ of: path.of, rest: after, kept });
  }
  return next;
}

/** The words kept on a path, in the order typed. */
export function keptWords(path: Path<unknown>): { readonly key: string; readonly token: Token }[] {
  const words = [];
  for (let kept = path.kept; kept !== undefined; kept = kept.before) words.push(kept);
  return words.reverse();
}

interface NextLeaf {
  readonly leaf: Leaf | undefined;
  readonly after: Rest | undefined;
}

function leaves(rest: Rest | undefined): NextLeaf[] {
  if (rest === undefined) return [{ leaf: undefined, after: undefined }];
  const { next, below } = rest;
  switch (next.kind) {
    case "word":
    case "symbol":
    case "value":
      return [{ leaf: next, after: below }];
    case "sequence":
      return leaves(
        next.parts.reduceRight<Rest | undefined>((after, part) => ({ next: part, below: after }), below),
      );
    case "choice":
      return next.parts.flatMap((part) => leaves({ next: part, below }));
    case "optional":
      return [...leaves({ next: next.part, below }), ...leaves(below)];
    case "list":
      return leaves({ next: next.part, below: { next: furtherOf(next.part), below } });
    case "repeat":
      return [...leaves({ next: next.part, below: rest }), ...leaves(below)];
  }
}

const furtherOf = (part: Grammar): Grammar => repeat(sequence(symbol(","), part));
