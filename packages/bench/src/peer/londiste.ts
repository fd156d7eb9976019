import { existsSync } from "node:fs";

/** Which Londiste: the commands and the configuration are the same. */
export interface LondisteFlavour {
  readonly name: string;
  readonly londiste: string;
  readonly pgqd: string;
  readonly section: string;
  /** extra statements for a fresh source or target database */
  readonly prepareSql: string;
}

/** This project's programs. */
export function ourLondiste(): LondisteFlavour {
  return {
    name: "ours",
    londiste: "londiste3",
    pgqd: "pgqd",
    section: "londiste3",
    prepareSql: "",
  };
}

/** Debian's python3-londiste with its C-backed schemas, if this machine has it. */
export function pythonLondiste(): LondisteFlavour | undefined {
  if (!existsSync("/usr/bin/londiste") || !existsSync("/usr/bin/pgqd")) return undefined;
  return {
    name: "python londiste",
    londiste: "/usr/bin/londiste",
    pgqd: "/usr/bin/pgqd",
    section: "londiste",
    prepareSql: "create extension pgq; create extension pgq_node; create extension londiste",
  };
}
