/** Where to wait for HTTP connections. */
export interface ListenAddress {
  readonly host: string;
  /** 0: any free one */
  readonly port: number;
}

/** Reads `PORT`, `HOST:PORT` or `[IPV6]:PORT`; a port alone means this machine only.
 * @returns undefined for an empty text and for one that is no address */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(?:(?:\[([\da-f:.]+)\]|([\w.*-]+)):)?(\d{1,5})$/i.exec(text);
  if (match === null || Number(match[3]) > 65_535) return undefined;
  const name = match[1] ?? match[2] ?? "127.0.0.1";
  return { host: name === "*" ? "::" : name, port: Number(match[3]) };
}

/** True for addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** The address as part of a URL. */
export function formatListenAddress({ host, port }: ListenAddress): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
