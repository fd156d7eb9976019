import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { contents } from "./contents.ts";
import { convertPage, type LoadedPage } from "./convert-page.ts";
import type { GeneratedText } from "./generated-include.ts";
import { manualSource } from "./manual-pages.ts";
import type { InstalledProgram } from "./programs.ts";
import { type NavigationPart, webPage } from "./web-page.ts";

interface SitePage {
  /** below doc/, without extension */
  readonly path: string;
  readonly part: string;
  readonly loaded: LoadedPage;
}

/** Writes all web pages, their style and pictures.
 * @throws Error when a source is missing or is not in the contents */
export async function writeSite(
  programs: readonly InstalledProgram[],
  generated: GeneratedText,
  target: string,
  attributes: Readonly<Record<string, string>>,
): Promise<void> {
  const doc = join(generated.root, "doc");
  const listed = contents.flatMap(({ title, folder, pages }) =>
    pages.map((page) => ({ part: title, path: join(folder, page) })),
  );
  refuseUnlisted(
    doc,
    listed.map(({ path }) => `${path}.adoc`),
  );
  const manual = programs.map(({ name }) => ({ part: "Programs", path: join("man", name) }));
  for (const { name } of programs) manualSource(generated.root, name);
  const at = listed.findIndex(({ part }) => part === "Reference");
  const pages: SitePage[] = [];
  for (const { part, path } of [...listed.slice(0, at), ...manual, ...listed.slice(at)]) {
    const loaded = await convertPage(join(doc, `${path}.adoc`), "html5", generated, {
      ...attributes,
      relfilesuffix: ".html",
      outfilesuffix: ".html",
      idprefix: "",
      idseparator: "-",
      ...(path.startsWith("man/") ? { doctype: "manpage" } : {}),
    });
    pages.push({ path, part, loaded });
  }
  const navigation = navigationOf(pages);
  for (const { path, loaded } of pages) {
    const file = join(target, `${path}.html`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, webPage(path, loaded, navigation));
  }
  copyFileSync(join(doc, "style.css"), join(target, "style.css"));
  copyPictures(doc, target);
}

function refuseUnlisted(doc: string, listed: readonly string[]): void {
  const present = readdirSync(doc, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".adoc") && !/^(?:man|fragment)\//.test(file),
  );
  const unlisted = present.filter((file) => !listed.includes(file));
  if (unlisted.length > 0)
    throw new Error(`pages that are in no part of the contents: ${unlisted.join(", ")}`);
}

function navigationOf(pages: readonly SitePage[]): NavigationPart[] {
  return [...new Set(pages.map(({ part }) => part))].map((title) => ({
    title,
    pages: pages
      .filter(({ part }) => part === title)
      .map(({ path, loaded }) => ({ path, title: String(loaded.document.getDocumentTitle()) })),
  }));
}

function copyPictures(doc: string, target: string): void {
  const pictures = join(doc, "image");
  if (!existsSync(pictures)) return;
  mkdirSync(join(target, "image"), { recursive: true });
  for (const file of readdirSync(pictures)) copyFileSync(join(pictures, file), join(target, "image", file));
}
