import { SkytoolsError } from "../errors.ts";

/** Puts another table into a definition that the server wrote. Up to its table such a definition holds keywords and quoted or
 * plain identifiers only, so the first keyword outside of quotes is the one before the table.
 * @param keyword what precedes the table: ` ON `, ` TO `, ` REFERENCES `
 * @param table as it stands in the definition
 * @throws SkytoolsError DEFINITION when the definition is not of that form */
export function withTable(definition: string, keyword: string, table: string, target: string): string {
  const at = indexOutsideQuotes(definition, keyword);
  const begin = at + keyword.length;
  if (at < 0 || !definition.startsWith(table, begin)) {
    throw new SkytoolsError("DEFINITION", `cannot find table ${table} in: ${definition}`);
  }
  return definition.slice(0, begin) + target + definition.slice(begin + table.length);
}

function indexOutsideQuotes(text: string, wanted: string): number {
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') at = text.indexOf('"', at + 1);
    else if (text.startsWith(wanted, at)) return at;
    if (at < 0) return -1;
  }
  return -1;
}
