import type { HandledTable, HandlerArgument } from "./handler.ts";

/** For sources whose encoding is SQL_ASCII, which store any bytes. */
export const encodingArgument: HandlerArgument = {
  name: "encoding",
  doc: "utf8: bytes that are not UTF-8 become U+FFFD instead of stopping replay",
  choices: ["utf8"],
};

export function repairsText({ arguments: values }: HandledTable): boolean {
  return values.get("encoding") === "utf8";
}
