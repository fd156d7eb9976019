import { type OpenEnd, parseConnectString } from "@skytools/skytools";
import type { Session } from "../session/session.ts";

const ends: Readonly<Record<OpenEnd, string>> = {
  statement: "-",
  parenthesis: "(",
  string: "'",
  name: '"',
  "dollar string": "$",
  comment: "*",
};

/** `queue@database> `; in the middle of a statement the last sign tells what is open, as in psql.
 * Source: spec/qadmin.md 2 */
export function promptText({ queue, connstr }: Session, open: OpenEnd | undefined): string {
  const place = `${queue ?? "(noqueue)"}@${parseConnectString(connstr).database}`;
  return open === undefined ? `${place}> ` : `${place}${ends[open]} `;
}
