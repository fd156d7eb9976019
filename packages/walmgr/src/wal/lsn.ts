import { UsageError } from "@skytools/skytools";

/** @param text two hexadecimal halves as PostgreSQL writes them, `16/B374D848`
 * @throws UsageError */
export function parseLsn(text: string): bigint {
  const parts = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text);
  if (parts === null) throw new UsageError(`"${text}" is not a WAL position such as 16/B374D848`);
  return (BigInt(`0x${parts[1]}`) << 32n) | BigInt(`0x${parts[2]}`);
}

export function formatLsn(lsn: bigint): string {
  const hex = (half: bigint) => half.toString(16).toUpperCase();
  return `${hex(lsn >> 32n)}/${hex(lsn & 0xffffffffn)}`;
}
