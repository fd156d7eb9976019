import type { Database } from "@skytools/skytools";
import { SkytoolsError } from "@skytools/skytools";

/** Granularities of partitions, with the parts of a time that name them. */
export const periods = ["day", "month", "year", "hour"] as const;

/** Since then all zones are some quarters of an hour from UTC. */
const firstCommonYear = "1973";

export type Period = (typeof periods)[number];

/** A time as the target's session writes it, taken apart. */
export interface PartitionTime {
  /** `YYYY-MM-DD HH:MM:SS` */
  readonly text: string;
  readonly year: string;
  readonly month: string;
  readonly day: string;
  readonly hour: string;
}

/** Reads the first 19 characters of a time or date.
 * @throws SkytoolsError DISPATCH */
export function parsePartitionTime(text: string): PartitionTime {
  const match = /^(\d{4,})-(\d\d)-(\d\d)(?:[ T](\d\d)(:\d\d:\d\d)?)?/.exec(text);
  if (match === null || text.endsWith(" BC")) {
    throw new SkytoolsError(
      "DISPATCH",
      `"${text.slice(0, 40)}" is not a time of the form YYYY-MM-DD HH:MM:SS`,
      {
        retry: "later",
      },
    );
  }
  const [, year = "", month = "", day = "", hour = "00", rest = ":00:00"] = match;
  return { text: `${year}-${month}-${day} ${hour}${rest}`, year, month, day, hour };
}

/** The part that names a partition: parent_YYYY_MM_DD_HH, down to the period. */
export function automaticName(parent: string, time: PartitionTime, period: Period): string {
  const depth = { year: 1, month: 2, day: 3, hour: 4 }[period];
  return [parent, ...[time.year, time.month, time.day, time.hour].slice(0, depth)].join("_");
}

/** Times with a zone, as the target's session writes them: that is where partitions get their bounds. One question for the
 * times of a quarter of an hour: in that time no day or hour begins anywhere. */
export class LocalTimes {
  readonly #target: Database;
  readonly #known = new Map<string, string>();

  constructor(target: Database) {
    this.#target = target;
  }

  /** @param text timestamptz */
  async of(text: string): Promise<PartitionTime> {
    const key = quarterOfHour(text);
    let local = this.#known.get(key);
    if (local === undefined) {
      const sql = "select to_char($1::timestamptz, 'YYYY-MM-DD HH24:MI:SS')";
      local = (await this.#target.queryValue<string>(sql, [text])) ?? text;
      this.#known.set(key, local);
    }
    return parsePartitionTime(local);
  }
}

/** The same for times of one quarter of an hour; the text itself where zones had other offsets, or the text has another form. */
function quarterOfHour(text: string): string {
  const [, hour, minute, zone = ""] =
    /^(\d{4}-\d\d-\d\d[ T]\d\d):(\d\d):\d\d(?:\.\d+)?([+-]\d\d(?::?(?:00|15|30|45))?)?$/.exec(text) ?? [];
  const isOfOurTime = hour !== undefined && hour >= firstCommonYear;
  return isOfOurTime ? `${hour} ${Math.floor(Number(minute) / 15)} ${zone}` : text;
}
