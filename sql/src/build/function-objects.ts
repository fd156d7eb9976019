import { createHash } from "node:crypto";
import { type CreatedFunction, createdFunctions } from "../sql-text/created-functions.ts";
import { isWord, joinedText, wordOf } from "../sql-text/token-text.ts";
import type { SurfaceObject } from "../surface/surface-object.ts";
import type { ExecuteGrant } from "./execute-grants.ts";

/** The functions of a module as the surface query shows them, read from its SQL, and who may execute them. */
export function functionObjects(sql: string, grants: readonly ExecuteGrant[]): SurfaceObject[] {
  return createdFunctions(sql).flatMap((created): SurfaceObject[] => {
    const name = `${created.name}(${inputTypes(created).join(",")})`;
    const grant = grants.find((each) => `${each.schema}.${each.name}` === created.name);
    const grantees = grant?.grantees ?? [];
    return [
      { kind: "function", name, attributes: attributesOf(created) },
      ...grantees.map((grantee) => ({
        kind: "grant" as const,
        name: `execute on function ${name} to ${grantee}`,
        attributes: {},
      })),
    ];
  });
}

/** Names that the server shows differently. Source: PostgreSQL manual, "Data Types" */
const aliases: ReadonlyMap<string, string> = new Map([
  ["bool", "boolean"],
  ["int", "integer"],
  ["int2", "smallint"],
  ["int4", "integer"],
  ["int8", "bigint"],
  ["float4", "real"],
  ["float8", "double precision"],
  ["decimal", "numeric"],
  ["timestamp", "timestamp without time zone"],
  ["timestamptz", "timestamp with time zone"],
  ["time", "time without time zone"],
  ["timetz", "time with time zone"],
  ["varchar", "character varying"],
]);

function shownType(type: string): string {
  const [, set = "", name, array = ""] = /^(setof )?(.*?)((?:\[\])*)$/s.exec(type.toLowerCase())!;
  const plain = name!.replace(/^pg_catalog\./, "");
  return `${set === "" ? "" : "SETOF "}${aliases.get(plain) ?? plain}${array}`;
}

function inputTypes(created: CreatedFunction): string[] {
  return created.arguments.filter(({ mode }) => mode !== "out").map(({ type }) => shownType(type));
}

function attributesOf(created: CreatedFunction): Record<string, string> {
  const { clauses, body = "" } = created;
  const has = (...words: readonly string[]) =>
    clauses.some((_token, at) => words.every((word, offset) => isWord(clauses[at + offset], word)));
  const names = created.arguments.map(({ name = "" }) => name).concat(tableColumns(created).names);
  const columns = outArguments(created).concat(tableColumns(created).types).map(shownType);
  const defaults = created.arguments.filter(({ hasDefault }) => hasDefault).length;
  const settings = settingsOf(created);
  const languageAt = clauses.findIndex((token) => isWord(token, "language"));
  return {
    ...(names.some((name) => name !== "") ? { names: names.join(",") } : {}),
    ...(columns.length > 0 ? { columns: columns.join(",") } : {}),
    ...(defaults > 0 ? { defaults: String(defaults) } : {}),
    result: resultOf(created),
    language: clauses[languageAt + 1]!.text.replaceAll("'", ""),
    rights: has("security", "definer") ? "definer" : "invoker",
    volatility: has("immutable") ? "immutable" : has("stable") ? "stable" : "volatile",
    ...(has("strict") || has("returns", "null", "on", "null", "input") ? { strict: "strict" } : {}),
    ...(settings === "" ? {} : { settings }),
    body: createHash("md5").update(withoutGenerated(body)).digest("hex"),
  };
}

const clauseWords =
  /^(language|as|immutable|stable|volatile|strict|security|set|called|cost|rows|parallel|leakproof|returns)$/;

/** Tokens after a word up to the next clause. */
function clauseAfter({ clauses }: CreatedFunction, begin: number) {
  const end = clauses.findIndex((token, at) => at > begin && clauseWords.test(wordOf(token) ?? ""));
  return clauses.slice(begin + 1, end < 0 ? undefined : end);
}

function returnsTokens(created: CreatedFunction) {
  const at = created.clauses.findIndex(
    (token, place) => isWord(token, "returns") && !isWord(created.clauses[place + 1], "null"),
  );
  return at < 0 ? [] : clauseAfter(created, at);
}

/** Columns of RETURNS TABLE. */
function tableColumns(created: CreatedFunction): { names: string[]; types: string[] } {
  const tokens = returnsTokens(created);
  if (!isWord(tokens[0], "table")) return { names: [], types: [] };
  const text = `create function f ${joinedText(tokens.slice(1))};`;
  const columns = createdFunctions(text)[0]!.arguments;
  return { names: columns.map(({ name = "" }) => name), types: columns.map(({ type }) => type) };
}

function resultOf(created: CreatedFunction): string {
  const tokens = returnsTokens(created);
  if (isWord(tokens[0], "table")) {
    const { types } = tableColumns(created);
    return `SETOF ${types.length === 1 ? shownType(types[0]!) : "record"}`;
  }
  if (tokens.length > 0) return shownType(joinedText(tokens));
  const outs = outArguments(created);
  return outs.length === 1 ? shownType(outs[0]!) : "record";
}

/** Types of the arguments that come out. */
function outArguments(created: CreatedFunction): string[] {
  return created.arguments.filter(({ mode }) => mode === "out" || mode === "inout").map(({ type }) => type);
}

/** `name=value; name=value`, as pg_proc has them. */
function settingsOf(created: CreatedFunction): string {
  const { clauses } = created;
  const settings = clauses.flatMap((token, at) => {
    if (!isWord(token, "set")) return [];
    const [name, , ...value] = clauseAfter(created, at);
    return [`${name!.text}=${joinedText(value).replaceAll("'", "").replaceAll(",", ", ")}`];
  });
  return settings.join("; ");
}

/** As the surface query leaves out what pgq generates. */
function withoutGenerated(body: string): string {
  const start = body.indexOf("-- static inserts\n");
  const end = body.indexOf("-- end of static inserts\n");
  return start < 0 || end < 0 ? body : body.slice(0, start) + body.slice(end);
}
