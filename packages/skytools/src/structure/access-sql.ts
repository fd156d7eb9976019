import { quoteIdent } from "../quoting/quote-ident.ts";
import type { TableGrant, TablePolicy } from "./table-parts.ts";
import type { TableStructure } from "./table-structure.ts";

const maintainSince = 170000;

/** The GRANT statement of one privilege.
 * @param target the table as SQL */
export function grantSql(grant: TableGrant, target: string): string {
  const option = grant.isGrantable ? " with grant option" : "";
  return `grant ${privilege(grant)} on ${target} to ${roleName(grant.grantee)}${option}`;
}

/** The REVOKE statement of one privilege. */
export function revokeSql(grant: TableGrant, target: string): string {
  return `revoke ${privilege(grant)} on ${target} from ${roleName(grant.grantee)}`;
}

/** The grants that a release of the server knows. */
export function knownGrants(table: TableStructure, serverVersion: number): readonly TableGrant[] {
  return table.grants.filter((grant) => grant.privilege !== "maintain" || serverVersion >= maintainSince);
}

function privilege({ privilege: name, column }: TableGrant): string {
  return column === undefined ? name : `${name} (${quoteIdent(column)})`;
}

function roleName(role: string | undefined): string {
  return role === undefined ? "public" : quoteIdent(role);
}

/** The CREATE POLICY statement. @param target the table as SQL */
export function createPolicySql(policy: TablePolicy, target: string): string {
  const { name, isPermissive, command, roles, using, check } = policy;
  return [
    `create policy ${quoteIdent(name)} on ${target}`,
    ...(isPermissive ? [] : ["as restrictive"]),
    `for ${command}`,
    `to ${roles === undefined ? "public" : roles.map(quoteIdent).join(", ")}`,
    ...(using === undefined ? [] : [`using (${using})`]),
    ...(check === undefined ? [] : [`with check (${check})`]),
  ].join(" ");
}

/** Policies, and whether they are obeyed. */
export function createRowSecurity(table: TableStructure, target: string): string[] {
  return [
    ...table.policies.map((policy) => createPolicySql(policy, target)),
    ...(table.hasRowSecurity ? [`alter table ${target} enable row level security`] : []),
    ...(table.forcesRowSecurity ? [`alter table ${target} force row level security`] : []),
  ];
}
