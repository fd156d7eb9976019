/** Moves the comment lines that open a function's body to before its CREATE FUNCTION. */
export function commentsBeforeFunctions(lines: readonly string[]): string[] {
  const result: string[] = [];
  for (let at = 0; at < lines.length; ) {
    const header = headerLength(lines, at);
    if (header === 0) {
      result.push(lines[at++]!);
      continue;
    }
    const comments = commentCount(lines, at + header);
    const body = at + header + comments;
    result.push(...lines.slice(at + header, body).map((line) => line.trim()));
    result.push(...lines.slice(at, at + header));
    at = body;
  }
  return result;
}

/** Number of lines from CREATE FUNCTION to the one that opens the body; 0 when none begins here. */
function headerLength(lines: readonly string[], begin: number): number {
  if (!/^\s*create\s+(or\s+replace\s+)?function\s/i.test(lines[begin] ?? "")) return 0;
  for (let at = begin; at < lines.length; at++) {
    if (/\bas\s+\$\w*\$\s*$/i.test(lines[at]!)) return at - begin + 1;
    if (/;\s*$/.test(lines[at]!)) return 0;
  }
  return 0;
}

function commentCount(lines: readonly string[], begin: number): number {
  let count = 0;
  while (/^\s*--/.test(lines[begin + count] ?? "")) count++;
  return count;
}
