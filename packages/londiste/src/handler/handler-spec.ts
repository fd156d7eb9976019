import { UsageError, urlDecodeRow, urlEncodeRow } from "@skytools/skytools";

/** A handler and its arguments, as a table's attribute `handler` names them. */
export interface HandlerSpec {
  readonly name: string;
  readonly arguments: ReadonlyMap<string, string>;
}

/** Reads `name` or `name(urlencoded arguments)`; a comma between arguments is as good as `&`.
 * @throws UsageError
 * Source: spec/londiste.md 5.2 and 12.1 */
export function parseHandlerSpec(text: string): HandlerSpec {
  const match = /^([^()\s]+)(?:\((.*)\))?$/s.exec(text.trim());
  if (match === null) throw new UsageError(`invalid handler name: ${text}`);
  const pairs = [...urlDecodeRow((match[2] ?? "").replaceAll(",", "&"))];
  return { name: match[1]!, arguments: new Map(pairs.map(([key, value]) => [key, value ?? ""])) };
}

export function formatHandlerSpec({ name, arguments: values }: HandlerSpec): string {
  return values.size === 0 ? name : `${name}(${urlEncodeRow(values)})`;
}

/** From the switches --handler and --handler-arg.
 * @throws UsageError */
export function handlerSpecOf(name: string, given: readonly string[]): HandlerSpec {
  if (!/^[^()\s]+$/.test(name)) throw new UsageError(`invalid handler name: ${name}`, { exitCode: 2 });
  const values = new Map<string, string>();
  for (const argument of given) {
    const equals = argument.indexOf("=");
    if (equals < 1) {
      throw new UsageError(`--handler-arg: "${argument}" is not of the form name=value`, { exitCode: 2 });
    }
    const key = argument.slice(0, equals);
    if (values.has(key)) throw new UsageError(`multiple handler arguments: ${key}`, { exitCode: 2 });
    values.set(key, argument.slice(equals + 1));
  }
  return { name, arguments: values };
}
