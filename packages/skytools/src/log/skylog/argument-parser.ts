/** A value in the `args` of a handler. A name such as `sys.stderr` stays a name. */
export type Argument = string | number | boolean | null | ArgumentName | readonly Argument[];

export interface ArgumentName {
  readonly name: string;
}

const deepestNesting = 50;

/** The text is not of the form that arguments have; the message completes a sentence that begins with the key. */
export class ArgumentError extends Error {}

const tokenPattern =
  /\s*(?:(?<string>[ru]?(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"))|(?<number>-?\d+(?:\.\d*)?(?:e[+-]?\d+)?)|(?<name>[a-z_][\w.]*)|(?<sign>[(),[\]*]))/giy;

/** Reads the arguments of a handler: a tuple of Python literals. Text, numbers and their products, names, and nested tuples or
 * lists are known, nothing else: the original evaluates whatever stands there as code.
 * @throws ArgumentError
 * Source: spec/framework.md 6.3 */
export function parseArguments(text: string): readonly Argument[] {
  const parser = new ArgumentParser(tokensOf(text));
  const value = parser.value();
  parser.end();
  if (!isList(value)) throw new ArgumentError("is not a list of arguments in parentheses");
  return value;
}

/** Whether an argument is a tuple or list. */
export function isList(value: Argument | undefined): value is readonly Argument[] {
  return Array.isArray(value);
}

interface Token {
  readonly kind: "string" | "number" | "name" | "sign";
  readonly text: string;
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const source = text.trimEnd();
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < source.length) {
    const at = tokenPattern.lastIndex;
    const groups = tokenPattern.exec(source)?.groups;
    const found = Object.entries(groups ?? {}).find(([, value]) => value !== undefined);
    if (found === undefined) throw new ArgumentError(`cannot be read from "${source.slice(at).trim()}" on`);
    tokens.push({ kind: found[0] as Token["kind"], text: found[1]! });
  }
  return tokens;
}

class ArgumentParser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  value(): Argument {
    let value = this.#single();
    while (this.#take("*")) {
      const factor = this.#single();
      if (typeof value !== "number" || typeof factor !== "number") {
        throw new ArgumentError("multiplies something that is not a number");
      }
      value *= factor;
    }
    return value;
  }

  end(): void {
    const rest = this.#tokens[this.#at];
    if (rest !== undefined) throw new ArgumentError(`has "${rest.text}" after its end`);
  }

  #single(): Argument {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new ArgumentError("ends too early");
    switch (token.kind) {
      case "string":
        return this.#joined(token.text);
      case "number":
        return Number(token.text);
      case "name":
        return namedValue(token.text);
      case "sign":
        if (token.text === "(") return this.#items(")");
        if (token.text === "[") return this.#items("]");
        throw new ArgumentError(`has "${token.text}" where a value was expected`);
    }
  }

  /** Neighbouring strings are one; a parenthesis around one value is no tuple. */
  #joined(first: string): string {
    let text = stringValue(first);
    while (this.#tokens[this.#at]?.kind === "string") text += stringValue(this.#tokens[this.#at++]!.text);
    return text;
  }

  #items(close: string): Argument {
    if (++this.#depth > deepestNesting) throw new ArgumentError(`nests deeper than ${deepestNesting} levels`);
    const isNested = this.#at > 1;
    const items: Argument[] = [];
    let hasComma = false;
    while (!this.#take(close)) {
      items.push(this.value());
      if (this.#take(",")) hasComma = true;
      else if (this.#tokens[this.#at]?.text !== close) throw new ArgumentError(`lacks "," or "${close}"`);
    }
    this.#depth -= 1;
    const isGrouping = isNested && close === ")" && items.length === 1 && !hasComma;
    return isGrouping ? items[0]! : items;
  }

  #take(sign: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== "sign" || token.text !== sign) return false;
    this.#at++;
    return true;
  }
}

const constants = new Map<string, Argument>([
  ["None", null],
  ["True", true],
  ["False", false],
]);

function namedValue(name: string): Argument {
  const constant = constants.get(name);
  return constant === undefined ? { name } : constant;
}

const controlCharacters: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };

function stringValue(text: string): string {
  const quote = text.search(/['"]/);
  const body = text.slice(quote + 1, -1);
  if (/r/i.test(text.slice(0, quote))) return body;
  return body.replace(/\\(.)/gs, (written, char: string) =>
    /[\\'"]/.test(char) ? char : (controlCharacters[char] ?? written),
  );
}
