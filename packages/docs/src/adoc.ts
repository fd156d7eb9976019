/** AsciiDoc that shows a text as it stands: no mark-up, no attributes, not the end of a table cell.
 * @param text one line */
export function plain(text: string): string {
  return text === "" ? "" : `pass:c[${text.replaceAll("]", "\\]")}]`;
}

/** The same in a cell of a table. */
export function cell(text: string): string {
  return plain(text).replaceAll("|", "\\|");
}

/** Text in fixed width. */
export function code(text: string): string {
  return `\`${plain(text)}\``;
}

/** An entry of a description list.
 * @param body one paragraph, in AsciiDoc */
export function entry(term: string, body: string): string {
  return `${term}::\n${body}\n`;
}
