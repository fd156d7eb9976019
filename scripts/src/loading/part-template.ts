const words: Readonly<Record<string, string>> = {
  _DEST_TABLE: "%(part)s",
  _PARENT: "%(parent)s",
  _PKEY: "%(pkeys)s",
  _SCHEMA_TABLE: "%(schema_table)s",
};

/** A template of the dispatchers as PartitionMaker takes it. Source: spec/scripts.md sections 6 and 7 */
export function partitionTemplate(text: string): string {
  return text
    .replaceAll("%", "%%")
    .replace(/_DEST_TABLE|_PARENT|_PKEY|_SCHEMA_TABLE/g, (word) => words[word] ?? word);
}
