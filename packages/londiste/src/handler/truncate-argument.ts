import type { HandledTable, HandlerArgument } from "./handler.ts";

/** An argument that several handlers take. */
export const ignoreTruncateArgument: HandlerArgument = {
  name: "ignore_truncate",
  doc: "1: a TRUNCATE of the source leaves the table here alone",
  default: "0",
  choices: ["0", "1"],
};

export function ignoresTruncate({ arguments: values }: HandledTable): boolean {
  return values.get("ignore_truncate") === "1";
}
