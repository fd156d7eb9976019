import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** Links and pictures of a folder of web pages that lead nowhere: `page: target`. Links to other hosts are not followed.
 * @param site the folder */
export function brokenLinks(site: string): string[] {
  const files = readdirSync(site, { recursive: true, encoding: "utf8" });
  const present = new Set(files.map((file) => normalize(file)));
  const pages = files.filter((file) => file.endsWith(".html"));
  const textOf = new Map(pages.map((page) => [normalize(page), readFileSync(join(site, page), "utf8")]));
  return [...textOf].flatMap(([page, text]) =>
    [...text.matchAll(/\s(?:href|src)="([^"]*)"/g)]
      .map(([, target]) => target!)
      .filter((target) => !/^(?:https?:|mailto:|data:)/.test(target))
      .filter((target) => !leadsSomewhere(page, target, present, textOf))
      .map((target) => `${page}: ${target}`),
  );
}

function leadsSomewhere(
  page: string,
  target: string,
  present: ReadonlySet<string>,
  textOf: ReadonlyMap<string, string>,
): boolean {
  const [path = "", fragment] = target.split("#");
  const file = path === "" ? page : normalize(join(dirname(page), decodeURI(path)));
  if (!present.has(file)) return false;
  const text = textOf.get(file);
  if (text === undefined || fragment === undefined || fragment === "") return true;
  return text.includes(`id="${decodeURIComponent(fragment)}"`);
}
