import type { GrantedObjects, GrantFile, GrantSection } from "./grant-file.ts";

/** Which statements are wanted. */
export interface StatementChoice {
  /** from every listed role */
  readonly revokes: boolean;
  /** what PUBLIC has by itself */
  readonly revokesDefaults: boolean;
  readonly grantsDefaults: boolean;
  readonly grants: boolean;
}

/** The lines of the first pass: whatever is taken away is taken away before anything is granted, since a table of one
 * section may be in another too. */
export function revokeLines(file: GrantFile, choice: StatementChoice): string[] {
  return file.sections.flatMap((section) => {
    const statements = section.objects.flatMap((objects) => revokesOf(objects, section, file, choice));
    return titled(section, statements);
  });
}

/** The lines of the second pass. */
export function grantLines(file: GrantFile): string[] {
  return file.sections.flatMap((section) => {
    const statements = section.objects.flatMap((objects) =>
      objects.grants.map(({ role, privileges }) => grantOf(objects, privileges, role)),
    );
    return titled(section, statements);
  });
}

function titled({ name }: GrantSection, statements: readonly string[]): string[] {
  return statements.length === 0 ? [] : ["", `-- ${name} --`, ...statements];
}

function revokesOf(
  objects: GrantedObjects,
  section: GrantSection,
  file: GrantFile,
  choice: StatementChoice,
): string[] {
  const { publicDefault } = objects.kind;
  const statements: string[] = [];
  if (choice.revokes && file.roles.length > 0) statements.push(revokeOf(objects, file.roles.join(", ")));
  if (choice.revokesDefaults && publicDefault !== undefined && !section.namesPublic) {
    statements.push(revokeOf(objects, "public"));
  }
  if (choice.grantsDefaults && publicDefault !== undefined) {
    statements.push(grantOf(objects, publicDefault, "public"));
  }
  return statements;
}

function revokeOf({ kind, list }: GrantedObjects, roles: string): string {
  return `REVOKE ALL ON ${kind.word} ${indented(list)}\n  FROM ${roles} CASCADE;`;
}

function grantOf({ kind, list }: GrantedObjects, privileges: string, role: string): string {
  return `GRANT ${privileges} ON ${kind.word} ${indented(list)}\n  TO ${role};`;
}

function indented(list: string): string {
  return list
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .join("\n    ");
}
