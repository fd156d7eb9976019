import { parseNestedPgArray } from "../quoting/pg-array.ts";

type TextParser = (text: string) => unknown;

const identity: TextParser = (text) => text;

const scalarParsers: ReadonlyMap<number, TextParser> = new Map<number, TextParser>([
  [16, (text) => text === "t"],
  [20, BigInt],
  [21, Number],
  [23, Number],
  [26, Number],
  [700, Number],
  [701, Number],
]);

/** Array type oid to element type oid, for the built-in types with the usual comma separator. */
const elementTypes: ReadonlyMap<number, number> = new Map([
  [1000, 16],
  [1001, 17],
  [1002, 18],
  [1003, 19],
  [1005, 21],
  [1007, 23],
  [1008, 24],
  [1009, 25],
  [1010, 27],
  [1011, 28],
  [1012, 29],
  [1014, 1042],
  [1015, 1043],
  [1016, 20],
  [1021, 700],
  [1022, 701],
  [1028, 26],
  [1034, 1033],
  [1040, 829],
  [1041, 869],
  [1115, 1114],
  [1182, 1082],
  [1183, 1083],
  [1185, 1184],
  [1187, 1186],
  [1231, 1700],
  [1270, 1266],
  [199, 114],
  [271, 5069],
  [2201, 1790],
  [2207, 2202],
  [2208, 2203],
  [2209, 2204],
  [2210, 2205],
  [2211, 2206],
  [2949, 2970],
  [2951, 2950],
  [3221, 3220],
  [3807, 3802],
]);

/** The parser of one type: int8 to bigint, int2/int4/oid/float to number, bool to boolean, arrays of
 * built-in types to arrays, everything else stays the server's own text (timestamps keep microseconds).
 * Source: spec/framework.md 4.3. */
export function textParser(oid: number): TextParser {
  const element = elementTypes.get(oid);
  if (element === undefined) return scalarParsers.get(oid) ?? identity;
  const parseElement = scalarParsers.get(element) ?? identity;
  return (text) => parseNestedPgArray(text, parseElement);
}

/** For sessions whose client_encoding is SQL_ASCII: the server sends any bytes, and those that are not UTF-8 reach
 * us as U+FFFD; such a value is refused instead of being handed on damaged.
 * Source: spec/framework.md 4.3. */
export function strictTextParser(oid: number): TextParser {
  const parser = textParser(oid);
  return (text) => {
    if (text.includes("\u{FFFD}")) throw new Error("value is not valid UTF-8");
    return parser(text);
  };
}
