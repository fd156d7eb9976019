import { nearestName } from "../config/nearest-name.ts";
import { UsageError } from "../errors.ts";
import { connectKeys } from "./connect-keys.ts";

/** The key/value pairs of a connect string, in the order written; only keys that libpq knows. */
export type ConnectPairs = ReadonlyMap<string, string>;

const uriPrefix = /^postgres(?:ql)?:\/\//;

/** True for a `postgresql://` or `postgres://` URI. */
function isConnectUri(text: string): boolean {
  return uriPrefix.test(text);
}

/** Reads a libpq connect string, key=value list or URI, into its pairs; nothing is defaulted.
 * @throws UsageError for bad syntax and for keys that libpq does not know
 * Source: PostgreSQL manual, "Connection Strings". */
export function parseConnectPairs(text: string): ConnectPairs {
  const pairs = isConnectUri(text) ? parseUri(text) : parseKeyValues(text);
  for (const key of pairs.keys()) checkKey(key);
  return pairs;
}

function checkKey(key: string): void {
  if (Object.hasOwn(connectKeys, key)) return;
  const near = nearestName(key, Object.keys(connectKeys));
  throw new UsageError(
    `invalid connection option "${key}"`,
    near === undefined ? {} : { hint: `Did you mean "${near}"?` },
  );
}

function parseKeyValues(text: string): Map<string, string> {
  const pairs = new Map<string, string>();
  let at = 0;
  const skipBlanks = () => {
    while (at < text.length && isBlank(text[at])) at++;
  };
  for (skipBlanks(); at < text.length; skipBlanks()) {
    const start = at;
    while (at < text.length && text[at] !== "=" && !isBlank(text[at])) at++;
    const key = text.slice(start, at);
    skipBlanks();
    if (text[at] !== "=" || key === "") {
      throw new UsageError(`missing "=" after "${shown(key)}" in connect string`, {
        hint: "A connect string is a list such as host=db1 dbname=shop, or a postgresql:// URI.",
      });
    }
    at++;
    skipBlanks();
    const value = text[at] === "'" ? quotedValue(text, at + 1) : bareValue(text, at);
    pairs.set(key, value.text);
    at = value.end;
  }
  return pairs;
}

function isBlank(char: string | undefined): boolean {
  return char === " " || char === "\t" || char === "\n" || char === "\r" || char === "\f" || char === "\v";
}

function bareValue(text: string, start: number): { text: string; end: number } {
  let out = "";
  let at = start;
  while (at < text.length && !isBlank(text[at])) {
    if (text[at] === "\\") at++;
    out += text[at] ?? "";
    at++;
  }
  return { text: out, end: Math.min(at, text.length) };
}

function quotedValue(text: string, start: number): { text: string; end: number } {
  let out = "";
  for (let at = start; at < text.length; at++) {
    if (text[at] === "'") return { text: out, end: at + 1 };
    if (text[at] === "\\") at++;
    out += text[at] ?? "";
  }
  throw new UsageError("unterminated quoted string in connect string");
}

/** A piece of a connect string for a message: never more than a key name can be, so no password shows. */
function shown(piece: string): string {
  return /^[a-z_]{1,40}$/i.test(piece) ? piece : "...";
}

function parseUri(text: string): Map<string, string> {
  const pairs = new Map<string, string>();
  let rest = text.replace(uriPrefix, "");
  const mark = rest.search(/[@/]/);
  if (rest[mark] === "@") {
    const [user, password] = splitOnce(rest.slice(0, mark), ":");
    if (user !== "") pairs.set("user", decodePercent(user));
    if (password !== undefined && password !== "") pairs.set("password", decodePercent(password));
    rest = rest.slice(mark + 1);
  }
  const [main, query] = splitOnce(rest, "?");
  const [authority, path] = splitOnce(main, "/");
  const { hosts, ports } = splitUriHosts(authority);
  if (hosts.some((host) => host !== "")) pairs.set("host", hosts.join(","));
  if (ports.some((port) => port !== "")) pairs.set("port", ports.join(","));
  if (path !== undefined && path !== "") pairs.set("dbname", decodePercent(path));
  for (const part of query === undefined || query === "" ? [] : query.split("&")) {
    const [rawKey, rawValue] = splitOnce(part, "=");
    const key = decodePercent(rawKey);
    if (rawValue === undefined) {
      throw new UsageError(`missing key/value separator "=" in URI query parameter "${shown(key)}"`);
    }
    if (rawValue.includes("=")) {
      throw new UsageError(`extra key/value separator "=" in URI query parameter "${shown(key)}"`);
    }
    const value = decodePercent(rawValue);
    if (key === "ssl" && value === "true") pairs.set("sslmode", "require");
    else pairs.set(key, value);
  }
  return pairs;
}

function splitUriHosts(list: string): { hosts: string[]; ports: string[] } {
  const hosts: string[] = [];
  const ports: string[] = [];
  for (const item of list.split(",")) {
    const match = /^(?:\[([^\]]+)\]|([^:[\]]*))(?::(.*))?$/s.exec(item);
    if (match === null) throw new UsageError("invalid host in connect URI: an IPv6 address needs [brackets]");
    hosts.push(decodePercent(match[1] ?? match[2] ?? ""));
    ports.push(decodePercent(match[3] ?? ""));
  }
  return { hosts, ports };
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}

function decodePercent(text: string): string {
  if (/%(?![0-9a-f]{2})/i.test(text)) throw new UsageError("invalid percent-encoded token in connect URI");
  if (text.includes("%00"))
    throw new UsageError("forbidden value %00 in percent-encoded value of connect URI");
  try {
    return decodeURIComponent(text);
  } catch {
    throw new UsageError("percent-encoded value in connect URI is not UTF-8");
  }
}

/** Writes pairs as a key=value connect string that libpq and {@link parseConnectPairs} read back unchanged. */
export function formatConnectString(pairs: ConnectPairs): string {
  return [...pairs].map(([key, value]) => `${key}=${quoteConnectValue(value)}`).join(" ");
}

function quoteConnectValue(value: string): string {
  if (value !== "" && !/[\s'\\]/.test(value)) return value;
  return `'${value.replace(/[\\']/g, "\\$&")}'`;
}

/** Lays the keys of `extra` over `base`; either may be a key=value list or a URI. An empty `extra`
 * returns `base` untouched, everything else a key=value string.
 * Source: spec/framework.md 1.8 (`<profile>_extra_connstr`). */
export function mergeConnectString(base: string, extra: string): string {
  if (extra.trim() === "") return base;
  return formatConnectString(new Map([...parseConnectPairs(base), ...parseConnectPairs(extra)]));
}

const secretKeys = new Set([
  "password",
  "sslpassword",
  "scram_client_key",
  "scram_server_key",
  "oauth_client_secret",
]);

/** Whether the value of a key of connect strings is a secret. */
export function isSecretConnectKey(key: string): boolean {
  return secretKeys.has(key);
}

/** The connect string for logs: secrets replaced by `[...]`. Text that does not parse is cut at the first
 * word that could start a secret, so that nothing leaks from a broken string either. */
export function maskConnectString(text: string): string {
  try {
    const pairs = [...parseConnectPairs(text)];
    if (!isConnectUri(text) && !pairs.some(([key]) => secretKeys.has(key))) return text;
    return pairs
      .map(([key, value]) => (secretKeys.has(key) ? `${key}=[...]` : `${key}=${quoteConnectValue(value)}`))
      .join(" ");
  } catch {
    return isConnectUri(text) ? `${text.slice(0, text.indexOf("//"))}//[...]` : maskFromSecret(text);
  }
}

/** Hides everything from the word on that may name a secret. */
function maskFromSecret(text: string): string {
  const at = text.search(/pass|secret|_key|oauth/i);
  if (at < 0) return text;
  const begun = text.slice(0, at).split(/\s/).at(-1) ?? "";
  return `${text.slice(0, at - begun.length)}[...]`;
}
