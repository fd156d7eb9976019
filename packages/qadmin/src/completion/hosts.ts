import { readFileSync } from "node:fs";

const pseudoNames = new Set([
  "ip6-localhost",
  "ip6-loopback",
  "ip6-localnet",
  "ip6-mcastprefix",
  "ip6-allnodes",
  "ip6-allrouters",
  "ip6-allhosts",
]);

/** Host names of this machine's own list, sorted. */
export function knownHosts(): string[] {
  let text: string;
  try {
    text = readFileSync("/etc/hosts", "utf8");
  } catch {
    return [];
  }
  const names = text.split("\n").flatMap((line) => line.replace(/#.*/, "").trim().split(/\s+/).slice(1));
  return [...new Set(names)].filter((name) => name !== "" && !pseudoNames.has(name)).sort();
}
