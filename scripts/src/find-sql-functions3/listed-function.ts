import { type CreatedFunction, isWord } from "@skytools/sql";

/** A function as a list of grants names it. */
export interface ListedFunction {
  /** name as it stands in the file, and the types of the arguments that go in */
  readonly signature: string;
  readonly isSecurityDefiner: boolean;
}

export function listedFunction(created: CreatedFunction): ListedFunction {
  const types = created.arguments.filter(({ mode }) => mode !== "out").map(({ type }) => type);
  const { clauses } = created;
  const isSecurityDefiner = clauses.some(
    (token, at) => isWord(token, "security") && isWord(clauses[at + 1], "definer"),
  );
  return { signature: `${created.name}(${types.join(", ")})`, isSecurityDefiner };
}
