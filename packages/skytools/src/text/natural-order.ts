const beforeTheEnd = "\x01";
const end = "\x02";
/** before control characters, which must not be taken for our marks */
const escapeMark = "\x03";

/** A text whose plain order is the natural order of the original: numbers by value, those with leading zeros as decimal fractions,
 * `~` before everything, even the end. So `1.9` comes before `1.10`, and `2.0~beta` before `2.0`.
 * Source: spec/framework.md 7.7 (natsort) */
export function naturalOrderKey(text: string): string {
  const key = text.replace(/\d+|~|\p{Cc}/gu, (part) => {
    if (part === "~") return beforeTheEnd;
    return /^\d/.test(part) ? numberKey(part) : escapeMark + part;
  });
  return key + end;
}

/** For sort(): negative, 0 or positive. */
export function compareNaturally(one: string, other: string): number {
  const [first, second] = [naturalOrderKey(one), naturalOrderKey(other)];
  return first < second ? -1 : first > second ? 1 : 0;
}

const longestCount = 0xffff;

/** Stands among other characters where digits stand. More leading zeros mean a smaller fraction. */
function numberKey(digits: string): string {
  const rest = digits.replace(/^0+/, "");
  const zeros = digits.length - rest.length;
  if (zeros > 0) return `00${count(longestCount - Math.min(zeros, longestCount))}${rest}\0`;
  return `01${count(Math.min(rest.length, longestCount))}${rest}`;
}

function count(number: number): string {
  return String.fromCharCode(number);
}
