/** Tagged netstrings: the length in bytes, a colon, the data, and a letter for the type.
 * Source: spec/framework.md 7.7 */
function tagged(data: Buffer, type: string): Buffer {
  return Buffer.concat([Buffer.from(`${data.length}:`), data, Buffer.from(type)]);
}

export const tnetNull: Buffer = tagged(Buffer.alloc(0), "~");

export function tnetText(text: string): Buffer {
  return tagged(Buffer.from(text), ",");
}

export function tnetInteger(value: number | bigint): Buffer {
  return tagged(Buffer.from(String(value)), "#");
}

export function tnetFloat(value: number): Buffer {
  return tagged(Buffer.from(Number.isInteger(value) ? `${value}.0` : String(value)), "^");
}

/** @param members encoded values by name */
export function tnetDict(members: Readonly<Record<string, Buffer>>): Buffer {
  const pairs = Object.entries(members).flatMap(([name, value]) => [tnetText(name), value]);
  return tagged(Buffer.concat(pairs), "}");
}
