import type { Grammar, Leaf } from "./grammar.ts";

/** The syntax as help shows it: words in lower case, what the user chooses in capitals. */
export function syntaxText(grammar: Grammar): string {
  switch (grammar.kind) {
    case "word":
    case "symbol":
    case "value":
      return leafText(grammar);
    case "sequence":
      return grammar.parts
        .map(grouped)
        .filter((part) => part !== "")
        .join(" ");
    case "choice":
      return grammar.parts.map(syntaxText).join(" | ");
    case "optional":
      return `[ ${syntaxText(grammar.part)} ]`;
    case "list":
      return `${grouped(grammar.part)}, ...`;
    case "repeat":
      return `{ ${syntaxText(grammar.part)} }`;
  }
}

function grouped(grammar: Grammar): string {
  return grammar.kind === "choice" ? `( ${syntaxText(grammar)} )` : syntaxText(grammar);
}

export function leafText(leaf: Leaf): string {
  switch (leaf.kind) {
    case "word":
      return leaf.word;
    case "symbol":
      return leaf.symbol;
    case "value":
      return leaf.accepts.length === 1 && leaf.accepts[0] === "string" ? `'${leaf.label}'` : leaf.label;
  }
}
