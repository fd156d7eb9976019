import { existsSync } from "node:fs";
import { join } from "node:path";

/** The server directory with the original, compiled PgQ 3.5 installed (Debian's postgresql-15-pgq3), if this machine has it. */
export function originalPgqBinDir(): string | undefined {
  const installation = { bin: "/usr/lib/postgresql/15/bin", extension: "/usr/share/postgresql/15/extension" };
  return existsSync(join(installation.extension, "pgq.control")) ? installation.bin : undefined;
}

/** Reason to skip, for node:test. */
export const withoutOriginalPgq =
  originalPgqBinDir() === undefined ? "Debian's postgresql-15-pgq3 is not installed" : false;
