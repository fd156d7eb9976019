import type { Database, Log, TablePolicy, TableStructure, TableTrigger } from "@skytools/skytools";
import {
  createPolicySql,
  createRuleSql,
  createTriggerSql,
  grantSql,
  knownGrants,
  quoteFqIdent,
  quoteIdent,
  splitFqName,
} from "@skytools/skytools";

/** Statements that give a new table what names other objects: triggers, rules, policies, grants and owner. What needs a function,
 * table or role that is not here is left out, with a warning. Triggers of queues are for registration to make.
 * @param name of the new table, `schema.table`, plain
 * Source: spec/londiste.md 6.4 */
export async function tableBelongings(
  local: Database,
  log: Log,
  structure: TableStructure,
  name: string,
): Promise<string[]> {
  const roles = await existingRoles(local);
  const leaveOut = (what: string, why: string) => log.warn(`${what} of ${name} left out: ${why}`);
  return [
    ...(await triggers(local, structure, name, leaveOut)),
    ...rules(structure, name, leaveOut),
    ...rowSecurity(structure, name, roles, leaveOut),
    ...grants(local, structure, name, roles, leaveOut),
  ];
}

type LeaveOut = (what: string, why: string) => void;

async function triggers(
  local: Database,
  structure: TableStructure,
  name: string,
  leaveOut: LeaveOut,
): Promise<string[]> {
  const statements: string[] = [];
  for (const trigger of structure.triggers.filter((item) => !isQueueTrigger(item) && !item.isInherited)) {
    if (await hasFunction(local, trigger.function)) {
      statements.push(...createTriggerSql(structure, trigger, quoteFqIdent(name)));
    } else leaveOut(`trigger ${trigger.name}`, `no function ${trigger.function} here`);
  }
  return statements;
}

function isQueueTrigger(trigger: TableTrigger): boolean {
  return trigger.function.startsWith("pgq.") || /^(?:zzz_)?_londiste_/.test(trigger.name);
}

/** A rule's action that names the table means the original, which is not this one. */
function rules(structure: TableStructure, name: string, leaveOut: LeaveOut): string[] {
  return structure.rules.flatMap((rule) => {
    if (name === structure.name || mentions(rule.definition, structure.quotedName) === 1)
      return createRuleSql(structure, rule, quoteFqIdent(name));
    leaveOut(
      `rule ${rule.name}`,
      `it names ${structure.name} in what it does, and the table is another here`,
    );
    return [];
  });
}

/** How often a table is named. */
function mentions(definition: string, table: string): number {
  const parts = definition.split(table);
  return parts.slice(1).filter((rest) => !/^[\w$"]/.test(rest)).length;
}

/** Without its policies a table would show rows to those from whom the original hides them. */
function rowSecurity(
  structure: TableStructure,
  name: string,
  roles: ReadonlySet<string>,
  leaveOut: LeaveOut,
): string[] {
  const table = quoteFqIdent(name);
  const policies = structure.policies.flatMap((policy) => {
    const known = policyOfKnownRoles(policy, roles);
    if (known === undefined) leaveOut(`policy ${policy.name}`, `none of its roles is here`);
    return known === undefined ? [] : [createPolicySql(known, table)];
  });
  return [
    ...policies,
    ...(structure.hasRowSecurity ? [`alter table ${table} enable row level security`] : []),
    ...(structure.forcesRowSecurity ? [`alter table ${table} force row level security`] : []),
  ];
}

function policyOfKnownRoles(policy: TablePolicy, roles: ReadonlySet<string>): TablePolicy | undefined {
  if (policy.roles === undefined) return policy;
  const known = policy.roles.filter((role) => roles.has(role));
  return known.length === 0 ? undefined : { ...policy, roles: known };
}

function grants(
  local: Database,
  structure: TableStructure,
  name: string,
  roles: ReadonlySet<string>,
  leaveOut: LeaveOut,
): string[] {
  const table = quoteFqIdent(name);
  const statements: string[] = [];
  for (const grant of knownGrants(structure, local.serverVersion)) {
    if (grant.grantee === undefined || roles.has(grant.grantee)) statements.push(grantSql(grant, table));
    else leaveOut(`grant of ${grant.privilege}`, `no role ${grant.grantee} here`);
  }
  if (roles.has(structure.owner)) {
    statements.push(`alter table ${table} owner to ${quoteIdent(structure.owner)}`);
  } else leaveOut("owner", `no role ${structure.owner} here`);
  return statements;
}

async function hasFunction(local: Database, name: string): Promise<boolean> {
  const [schema, plain] = splitFqName(name);
  const sql = `select exists (select from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
                where n.nspname = $1 and p.proname = $2) as found`;
  return (await local.queryOne<{ found: boolean }>(sql, [schema, plain])).found;
}

async function existingRoles(local: Database): Promise<ReadonlySet<string>> {
  const rows = await local.query<{ rolname: string }>("select rolname from pg_catalog.pg_roles");
  return new Set(rows.map((row) => row.rolname));
}
