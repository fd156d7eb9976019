/** A path on this host or on another one. */
export interface Place {
  /** as ssh takes it; undefined: this host */
  readonly host: string | undefined;
  readonly path: string;
}

/** Reads `path` or `host:path`; a host is what precedes a colon before the first slash. */
export function parsePlace(text: string): Place {
  const parts = /^((?:[\w.-]+@)?(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])):(.*)$/s.exec(text);
  return parts === null ? { host: undefined, path: text } : { host: parts[1]!, path: parts[2]! };
}

/** Whether a text can be a host, with a user before it or not: ssh and its configuration may hand it to a shell. */
export function isHostForSsh(text: string): boolean {
  return /^[^-]/.test(text) && !/[\s\p{Cc}'"`$\\;&<>|(){}*?!#]/u.test(text);
}
