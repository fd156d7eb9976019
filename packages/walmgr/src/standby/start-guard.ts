import { statSync } from "node:fs";
import { setMode } from "@skytools/skytools";
import { syncDirectory } from "../archive/durable-file.ts";

/** How far a data directory is that must not be started: `rewinding`, a part of it may be another server's already; `rewound`, all of
 * it is, and nothing says yet that it is to follow that server. */
export type StartGuard = "none" | "rewinding" | "rewound";

/** Permissions for others, with any of which a server refuses to start. Without the right to search the directory, which is not among
 * them, nobody can use them. They are the one thing about a data directory that pg_rewind leaves alone: it replaces its
 * configuration and removes files that the other server does not have.
 * Source: PostgreSQL manual, "Creating a Database Cluster": only 0700 and 0750 are accepted */
const permissions = { none: 0, rewinding: 0o002, rewound: 0o004 };
const othersMask = 0o007;

export function startGuard(dataDirectory: string): StartGuard {
  const others = statSync(dataDirectory).mode & othersMask;
  if (others === permissions.rewinding) return "rewinding";
  return others === permissions.rewound ? "rewound" : "none";
}

/** Survives a power failure when it returns. */
export async function setStartGuard(dataDirectory: string, guard: StartGuard): Promise<void> {
  const { mode } = statSync(dataDirectory);
  await setMode(dataDirectory, (mode & 0o7777 & ~othersMask) | permissions[guard]);
  await syncDirectory(dataDirectory);
}
