import type { SurfaceObject } from "./surface-object.ts";

/** Where an installed module is not what this release ships. */
export interface Finding {
  readonly state: "missing" | "different" | "extra";
  readonly kind: SurfaceObject["kind"] | "queue";
  readonly name: string;
  /** of a different object: what differs */
  readonly differences?: readonly AttributeDifference[];
  /** `upgrade`: applying the module again mends it; else the statement that does; undefined: nobody but a person can tell */
  readonly remedy?: "upgrade" | { readonly sql: string };
}

export interface AttributeDifference {
  readonly attribute: string;
  /** undefined: the object has no such attribute */
  readonly installed: string | undefined;
  readonly shipped: string | undefined;
}

/** Compares two lists of objects by kind and name.
 * @param schemaOwner quoted name of the role that owns the schema */
export function compareSurfaces(
  installed: readonly SurfaceObject[],
  shipped: readonly SurfaceObject[],
  schemaOwner: string,
): Finding[] {
  const rest = new Map(installed.map((object) => [key(object), object]));
  const findings: Finding[] = [];
  for (const object of shipped) {
    const found = rest.get(key(object));
    rest.delete(key(object));
    if (found === undefined) findings.push(missing(object));
    else findings.push(...different(found, object, schemaOwner));
  }
  const known = new Set(shipped.filter(({ kind }) => kind === "grant").map(({ name }) => granteeOf(name)));
  findings.push(...[...rest.values()].filter((object) => isWorthTelling(object, known)).map(extra));
  const whole = new Set(
    findings.filter(({ state }) => state !== "different").map(({ kind, name }) => `${kind} ${name}`),
  );
  return findings.filter((finding) => !whole.has(ownerOf(finding) ?? ""));
}

/** The object that a part comes and goes with. */
function ownerOf({ kind, name }: Finding): string | undefined {
  if (kind === "grant") return / on ((?:function|table|sequence|schema) .*) to /s.exec(name)?.[1];
  if (kind === "column") return `table ${splitColumn(name).table}`;
  return kind === "constraint" || kind === "trigger" ? `table ${split(name).table}` : undefined;
}

function key({ kind, name }: SurfaceObject): string {
  return `${kind} ${name}`;
}

function granteeOf(grant: string): string {
  return grant.slice(grant.lastIndexOf(" to ") + " to ".length);
}

/** What administrators grant to roles of their own is theirs. */
function isWorthTelling({ kind, name }: SurfaceObject, known: ReadonlySet<string>): boolean {
  if (kind === "role" || kind === "membership") return false;
  return kind !== "grant" || granteeOf(name) === "public" || known.has(granteeOf(name));
}

function missing({ kind, name, attributes }: SurfaceObject): Finding {
  return { state: "missing", kind, name, remedy: remedyOfMissing(kind, name, attributes) };
}

function remedyOfMissing(
  kind: SurfaceObject["kind"],
  name: string,
  { type, nulls, default: standard, definition }: SurfaceObject["attributes"],
): "upgrade" | { sql: string } {
  if (kind === "grant") return { sql: `grant ${name};` };
  if (kind === "index") return { sql: `${definition};` };
  if (kind === "sequence") return { sql: `create sequence ${name};` };
  if (kind === "constraint") {
    const { table, part } = split(name);
    return { sql: `alter table ${table} add constraint ${part} ${definition};` };
  }
  if (kind === "column") {
    const { table, part } = splitColumn(name);
    const rest = [type, standard && `default ${standard}`, nulls === "not null" ? nulls : undefined];
    return { sql: `alter table ${table} add column ${part} ${rest.filter(Boolean).join(" ")};` };
  }
  return "upgrade";
}

function different(found: SurfaceObject, shipped: SurfaceObject, schemaOwner: string): Finding[] {
  const names = new Set([...Object.keys(shipped.attributes), ...Object.keys(found.attributes)]);
  const differences = [...names].flatMap((attribute): AttributeDifference[] => {
    const [a, b] = [found.attributes[attribute], shipped.attributes[attribute]];
    return a === b ? [] : [{ attribute, installed: a, shipped: b }];
  });
  if (differences.length === 0) return [];
  const { kind, name } = shipped;
  const remedy = remedyOfDifferent(shipped, differences, schemaOwner);
  return [{ state: "different", kind, name, differences, ...(remedy === undefined ? {} : { remedy }) }];
}

function remedyOfDifferent(
  { kind, name, attributes }: SurfaceObject,
  differences: readonly AttributeDifference[],
  schemaOwner: string,
): Finding["remedy"] {
  if (differences.every(({ attribute }) => attribute === "owner")) {
    return { sql: `alter ${kind} ${name} owner to ${schemaOwner};` };
  }
  if (kind === "index") return { sql: `drop index ${name}; ${attributes.definition};` };
  if (kind === "constraint") {
    const { table, part } = split(name);
    return {
      sql: `alter table ${table} drop constraint ${part}, add constraint ${part} ${attributes.definition};`,
    };
  }
  if (kind === "column") return columnRemedy(name, differences);
  // CREATE OR REPLACE cannot change what a function returns.
  if (kind === "function" && differences.some(({ attribute }) => attribute === "result")) {
    return { sql: `drop function ${name}; -- then apply the module again` };
  }
  return kind === "function" || kind === "trigger" || kind === "view" ? "upgrade" : undefined;
}

function columnRemedy(name: string, differences: readonly AttributeDifference[]): Finding["remedy"] {
  const { table, part } = splitColumn(name);
  const changes = differences.map(({ attribute, shipped }) => {
    if (attribute === "type") return `alter column ${part} type ${shipped}`;
    if (attribute === "nulls")
      return `alter column ${part} ${shipped === "not null" ? "set" : "drop"} not null`;
    return shipped === undefined
      ? `alter column ${part} drop default`
      : `alter column ${part} set default ${shipped}`;
  });
  return { sql: `alter table ${table} ${changes.join(", ")};` };
}

function extra({ kind, name }: SurfaceObject): Finding {
  const remedy =
    kind === "grant" ? { remedy: { sql: `revoke ${name.replace(/ to (?=[^ ]+$)/, " from ")};` } } : {};
  return { state: "extra", kind, name, ...remedy };
}

/** `schema.table part` */
function split(name: string): { table: string; part: string } {
  const at = /^(?:[^"\s]|"(?:[^"]|"")*")+/.exec(name)![0].length;
  return { table: name.slice(0, at), part: name.slice(at + 1) };
}

/** `schema.table.column` */
function splitColumn(name: string): { table: string; part: string } {
  const [, table, part] = /^((?:[^".]+|"(?:[^"]|"")*")\.(?:[^".]+|"(?:[^"]|"")*"))\.(.*)$/s.exec(name)!;
  return { table: table!, part: part! };
}
