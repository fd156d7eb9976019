/** How a database is named in the log; control characters must not forge lines. Source: spec/pgq-library.md B4 */
export function logName(databaseName: string): string {
  return `[${databaseName.replace(/\p{Cc}/gu, "?")}]`;
}
