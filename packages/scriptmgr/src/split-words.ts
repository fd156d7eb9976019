/** The words of a command line: separated by blanks, quotes and backslashes as in a shell, nothing else is special.
 * @returns undefined when a quote does not end */
export function splitWords(text: string): string[] | undefined {
  const rest = text.replace(/(?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+/gs, "");
  if (rest.trim() !== "") return undefined;
  const words = text.match(/(?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+/gs) ?? [];
  return words.map((word) =>
    word.replace(/\\(.)|'([^']*)'|"((?:[^"\\]|\\.)*)"/gs, (_part, escaped, single, double) => {
      if (escaped !== undefined) return String(escaped);
      return single !== undefined ? String(single) : String(double).replace(/\\([\\"$`])/g, "$1");
    }),
  );
}
