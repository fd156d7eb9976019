import type { Finding, ModuleExamination } from "@skytools/sql";
import type { DatabaseExamination } from "./database-examination.ts";

/** An examination for people.
 * @param isVerbose list also what differs because another release is installed */
export function examinationText(
  { database, modules, error }: DatabaseExamination,
  isVerbose: boolean,
): string {
  if (error !== undefined) return `${database}: cannot be looked at: ${error}\n`;
  if (modules.length === 0) return `${database}: no module installed\n`;
  const parts = modules.map((module) => moduleText(module, isVerbose));
  return `${database}\n${parts.join("")}${stepsText(database, modules)}`;
}

function moduleText(examination: ModuleExamination, isVerbose: boolean): string {
  const { module, installed, shipped, extension, findings, release } = examination;
  const form = extension === undefined ? "" : `, extension ${extension}`;
  const title = `  ${module} ${installed}${form}`;
  if (release === "newer") return `${title}: newer than ${shipped} of this Skytools, not compared\n`;
  const isListed = release === "current" || isVerbose;
  const list = isListed ? findings.map(findingText).join("") : "";
  if (release === "older") {
    return `${title}: older than ${shipped}, ${findings.length} objects differ${isListed ? "" : " (-v lists them)"}\n${list}`;
  }
  return findings.length === 0 ? `${title}: as shipped\n` : `${title}:\n${list}`;
}

function findingText({ state, kind, name, differences = [] }: Finding): string {
  const details = differences.map(({ attribute, installed, shipped }) => {
    if (attribute === "body") return "      body is not that of this release\n";
    return `      ${attribute}: ${installed ?? "none"}, shipped: ${shipped ?? "none"}\n`;
  });
  return `    ${state}: ${kind} ${name}\n${details.join("")}`;
}

/** What to run, in order. */
function stepsText(database: string, modules: readonly ModuleExamination[]): string {
  const steps: string[] = [];
  const current = modules.filter(({ release }) => release === "current");
  const remedies = current.flatMap(({ findings }) => findings.map(({ remedy }) => remedy));
  if (modules.some(({ release }) => release === "newer"))
    steps.push("use the newer Skytools for the modules that are newer");
  for (const remedy of remedies) if (typeof remedy === "object") steps.push(remedy.sql);
  const isRepeated = remedies.includes("upgrade");
  if (isRepeated || modules.some(({ release }) => release === "older")) {
    steps.push(`skytools_upgrade3 ${isRepeated ? "--force " : ""}${database}`);
  }
  const strange = current.some(({ findings }) =>
    findings.some(({ state, remedy }) => state === "extra" && remedy === undefined),
  );
  if (strange) steps.push("what is extra may stay; drop it if nobody needs it");
  return steps.length === 0 ? "" : `  To do:\n${steps.map((step) => `    ${step}\n`).join("")}`;
}
