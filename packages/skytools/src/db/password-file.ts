import { readFileSync, statSync } from "node:fs";

/** What a line of a password file is matched against. */
export interface PasswordKey {
  /** the host as given; a socket directory counts as `localhost` when it is a default one */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/** The password that libpq would take from the file. A file that others may read is not used; the reason goes to
 * `warn`.
 * Source: PostgreSQL manual, libpq "The Password File". */
export function readPasswordFile(
  path: string,
  key: PasswordKey,
  warn: (message: string) => void,
): string | undefined {
  let text: string;
  try {
    const status = statSync(path);
    if (!status.isFile()) {
      warn(`password file "${path}" is not a plain file`);
      return undefined;
    }
    if ((status.mode & 0o077) !== 0) {
      warn(`password file "${path}" has group or world access; permissions should be u=rw (0600) or less`);
      return undefined;
    }
    text = readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
  const password = findPassword(text, key);
  if (password?.includes("\uFFFD") !== true) return password;
  warn(`password file "${path}" has a password that is not valid UTF-8`);
  return undefined;
}

/** The password of the first matching line, `host:port:database:user:password` with `*` as wildcard and
 * backslash escapes. */
export function findPassword(text: string, key: PasswordKey): string | undefined {
  const wanted = [key.host, String(key.port), key.database, key.user];
  for (const line of text.split(/\r?\n/)) {
    if (line === "" || line.startsWith("#")) continue;
    const fields = splitLine(line);
    if (fields === undefined) continue;
    const matches = wanted.every(
      (value, index) => fields[index] === "*" || unescapeField(fields[index]!) === value,
    );
    if (matches) return unescapeField(fields[4]!);
  }
  return undefined;
}

/** The first five raw fields, escapes kept so that `\*` is not a wildcard. A colon of the password needs a backslash too. */
function splitLine(line: string): string[] | undefined {
  const fields: string[] = [];
  let start = 0;
  for (let at = 0; at < line.length && fields.length < 5; at++) {
    if (line[at] === "\\") at++;
    else if (line[at] === ":") {
      fields.push(line.slice(start, at));
      start = at + 1;
    }
  }
  if (fields.length < 4) return undefined;
  if (fields.length === 4) fields.push(line.slice(start));
  return fields;
}

function unescapeField(field: string): string {
  return field.replace(/\\(.)/gs, "$1");
}
