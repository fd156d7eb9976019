/** Name of the consumer that a table's copy process runs under. Source: spec/cascade.md 2.3 */
export function copyConsumerName(workerName: string, table: string): string {
  return `${copyConsumerPrefix(workerName)}${table}`;
}

export function copyConsumerPrefix(workerName: string): string {
  return `${workerName}.copy.`;
}

/** A table or sequence name as stored: unqualified ones belong to schema public. */
export function fullName(name: string): string {
  return name.includes(".") ? name : `public.${name}`;
}
