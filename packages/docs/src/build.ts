import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { skytoolsVersion } from "@skytools/skytools";
import { writeApiReference } from "./api-reference.ts";
import type { GeneratedText } from "./generated-include.ts";
import { brokenLinks } from "./link-check.ts";
import { writeManualPages } from "./manual-pages.ts";
import { describeInstalled, installedPrograms } from "./programs.ts";
import { writeSite } from "./site.ts";

export interface Built {
  readonly programs: readonly string[];
  /** `page: target`; those into the TypeScript interface too when that was left out */
  readonly brokenLinks: readonly string[];
}

/** Writes manual pages to `TARGET/man` and web pages to `TARGET/html`; what was there is removed.
 * @param root the project's folder
 * @param withApi also the TypeScript interface, which takes longest
 * @throws Error when a program or a page of the contents has no source, or a source has a mistake */
export async function buildDocumentation(root: string, target: string, withApi: boolean): Promise<Built> {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const programs = installedPrograms(root);
  const descriptions = new Map(
    await Promise.all(programs.map(async (each) => [each.name, await describeInstalled(each)] as const)),
  );
  const generated: GeneratedText = { root, programs: descriptions };
  const attributes = { version: skytoolsVersion, mansource: `Skytools ${skytoolsVersion}` };
  const site = join(target, "html");
  await writeManualPages(programs, generated, join(target, "man"), attributes);
  await writeSite(programs, generated, site, attributes);
  if (withApi) await writeApiReference(root, join(site, "api"));
  return { programs: programs.map(({ name }) => name), brokenLinks: brokenLinks(site) };
}
