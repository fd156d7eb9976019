import { type Database, skytoolsVersion } from "@skytools/skytools";

export interface Versions {
  readonly qadmin: string;
  readonly server: string;
  /** `<none>` where it cannot be asked */
  readonly pgq: string;
}

export async function readVersions(db: Database): Promise<Versions> {
  const { server, hasPgq } = await db.queryOne<{ server: string; hasPgq: boolean }>(
    `select current_setting('server_version') as server,
            coalesce(has_function_privilege(to_regprocedure('pgq.version()'), 'execute'), false) as "hasPgq"`,
  );
  const pgq = hasPgq ? await db.queryValue<string | null>("select pgq.version()") : null;
  return { qadmin: skytoolsVersion, server, pgq: pgq ?? "<none>" };
}

export function versionLine({ qadmin, server, pgq }: Versions): string {
  return `qadmin (${qadmin}, server ${server}, pgq ${pgq})`;
}
