import { code, plain } from "./adoc.ts";

/** A labelled part of a function's comment: `Returns: 1, or 0 when ...`, with the entries below it. */
interface Section {
  readonly label: string;
  readonly text: string[];
  readonly entries: Entry[];
}

interface Entry {
  /** name of a parameter, return code; "" for a line that explains none */
  readonly term: string;
  readonly text: string[];
}

const label = /^(Parameters|Returns|Raises|Errors|Needs|Locks|Calls|Ticks|Trigger arguments)\b[^:]*:\s*(.*)$/;
/* `200 - done`, `i_table   the table` */
const entryLine = /^ {2,}(\S+(?:, \S+)*)(?: +- +| {2,})(\S.*)$/;

/** The comment above a server function, in AsciiDoc: prose flows, parameters and return codes become lists.
 * @param comment paragraphs, their lines as they stand in the file */
export function commentText(comment: readonly string[]): string {
  return comment.map(paragraphText).join("\n");
}

/** Whether the comment says anything about failures. */
export function tellsErrors(comment: readonly string[]): boolean {
  return comment.some((paragraph) => /\b(?:Raises|Errors)\b/.test(paragraph));
}

function paragraphText(paragraph: string): string {
  const prose: string[] = [];
  const sections: Section[] = [];
  for (const line of paragraph.split("\n")) {
    const [, name, text = ""] = label.exec(line) ?? [];
    const section = sections.at(-1);
    if (name !== undefined) sections.push({ label: name, text: text === "" ? [] : [text], entries: [] });
    else if (section !== undefined && line.startsWith(" ")) addLine(section, line);
    else (section?.text ?? prose).push(line);
  }
  const first = prose.length === 0 ? "" : `${flowing(prose)}\n`;
  return first + sections.map(sectionText).join("");
}

function addLine(section: Section, line: string): void {
  const [, term, text = ""] = entryLine.exec(line) ?? [];
  const last = section.entries.at(-1);
  if (term !== undefined) section.entries.push({ term, text: [text] });
  else if (last !== undefined && line.startsWith("    ")) last.text.push(line);
  else if (section.label === "Parameters" || section.label === "Returns")
    section.entries.push({ term: "", text: [line] });
  else section.text.push(line);
}

function sectionText({ label: name, text, entries }: Section): string {
  const head = `\n_${name}:_ ${flowing(text)}`.trimEnd();
  if (entries.length === 0) return `${head}\n`;
  const rows = entries.map(({ term, text: words }) =>
    term === "" ? `2+|${inCell(words)}` : `|${code(term).replaceAll("|", "\\|")} |${inCell(words)}`,
  );
  return `${head}\n\n[.entries,cols="1,4"]\n|===\n${rows.join("\n")}\n|===\n`;
}

/** Lines as one paragraph; words between backticks in fixed width. */
function flowing(lines: readonly string[]): string {
  return lines
    .map((line) => line.trim())
    .join(" ")
    .split(/`([^`]+)`/)
    .map((part, at) => (at % 2 === 1 ? code(part) : plain(part)))
    .join("");
}

function inCell(lines: readonly string[]): string {
  return flowing(lines).replaceAll("|", "\\|");
}
