/** How values refer to other values: `basic` is `%(key)s`, `extended` is `${key}` and `${section:key}`. */
export type InterpolationSyntax = "basic" | "extended";

/** What a reference points to. */
export interface ReferencedValue {
  readonly text: string;
  /** taken as it stands, not interpolated again */
  readonly isLiteral: boolean;
  /** section in which references of `text` are looked up */
  readonly section: string;
}

/** Finds a value that another one refers to; `section` is where the reference leads, `key` is lower case. */
export type Lookup = (section: string, key: string) => ReferencedValue | undefined;

/** The value of a key cannot be built from the values that it refers to. */
export class InterpolationError extends Error {}

const deepestReference = 10;
/** a value that refers to others many times, which do the same, would take for ever, or more memory than there is */
const mostReferences = 10_000;
const longestValue = 1_000_000;

/** Replaces all references in a value.
 * @param section where the value stands
 * @throws InterpolationError bad syntax, a missing key, more than ten levels, or an endless result
 * Source: spec/framework.md 1.3 */
export function interpolate(
  text: string,
  syntax: InterpolationSyntax,
  section: string,
  lookup: Lookup,
): string {
  return expand({ syntax, lookup, references: 0 }, text, section, 1);
}

interface Context {
  readonly syntax: InterpolationSyntax;
  readonly lookup: Lookup;
  /** followed so far */
  references: number;
}

const forms = {
  basic: { sign: "%", reference: /%\(([^)]+)\)s/y, brackets: ["(", ")s"] },
  extended: { sign: "$", reference: /\$\{([^}]+)\}/y, brackets: ["{", "}"] },
} as const;

function expand(context: Context, text: string, section: string, depth: number): string {
  if (depth > deepestReference) {
    throw new InterpolationError(`refers to other values more than ${deepestReference} levels deep`);
  }
  const { sign, reference, brackets } = forms[context.syntax];
  let result = "";
  let at = 0;
  for (let found = text.indexOf(sign); found >= 0; found = text.indexOf(sign, at)) {
    result += text.slice(at, found);
    if (text[found + 1] === sign) {
      result += sign;
      at = found + 2;
      continue;
    }
    reference.lastIndex = found;
    const match = reference.exec(text);
    if (match === null) {
      const form = `${sign}${brackets.join("key")}`;
      throw new InterpolationError(
        `has a "${sign}" that is neither "${sign}${sign}" nor a reference ${form}`,
      );
    }
    result += resolve(context, match[1]!, section, depth);
    context.references += 1;
    if (context.references > mostReferences || result.length > longestValue)
      throw new InterpolationError("refers to so much that the result has no end");
    at = found + match[0].length;
  }
  return result + text.slice(at);
}

function resolve(context: Context, path: string, section: string, depth: number): string {
  const parts = context.syntax === "extended" ? path.split(":") : [path];
  if (parts.length > 2) throw new InterpolationError(`refers to "${path}", which has more than one ":"`);
  const targetSection = parts.length === 2 ? parts[0]! : section;
  const value = context.lookup(targetSection, parts.at(-1)!.toLowerCase());
  if (value === undefined) throw new InterpolationError(`refers to "${path}", which is not set`);
  return value.isLiteral ? value.text : expand(context, value.text, value.section, depth + 1);
}

/** The keys of the same section that a value refers to, lower case; for telling used keys from unknown ones. */
export function referencedKeys(text: string, syntax: InterpolationSyntax): string[] {
  const { reference } = forms[syntax];
  const matches = text.matchAll(new RegExp(reference.source, "g"));
  return [...matches].map((match) => match[1]!.toLowerCase()).filter((path) => !path.includes(":"));
}
