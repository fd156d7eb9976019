import { dirname, relative } from "node:path";
import type { LoadedPage } from "./convert-page.ts";

/** A part of the navigation. */
export interface NavigationPart {
  readonly title: string;
  readonly pages: readonly { readonly path: string; readonly title: string }[];
}

/** A whole web page: navigation, text, and what the page contains.
 * @param path below the site's top, without extension */
export function webPage(
  path: string,
  { document, text }: LoadedPage,
  navigation: readonly NavigationPart[],
): string {
  const title = String(document.getDocumentTitle());
  const link = (to: string) => relative(dirname(path), to) || to;
  const all = document.getSections();
  // A page that is one long list is entered by its parts.
  const listed = all.length === 1 ? all[0]!.getSections() : all;
  const sections = (listed.length === 0 ? all : listed).map(
    (section) => `<li><a href="#${section.getId()}">${section.getTitle()}</a></li>`,
  );
  const parts = navigation.map(({ title: part, pages }) => {
    const items = pages.map(
      (page) =>
        `<li><a href="${link(`${page.path}.html`)}"${page.path === path ? ' aria-current="page"' : ""}>${page.title}</a></li>`,
    );
    const isOpen = pages.some((page) => page.path === path) || part === "Tutorials";
    return `<details${isOpen ? " open" : ""}><summary>${part}</summary><ul>${items.join("")}</ul></details>`;
  });
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} - Skytools for Node</title>
<link rel="stylesheet" href="${link("style.css")}">
</head>
<body>
<nav><a class="home" href="${link("index.html")}">Skytools for Node</a>
${parts.join("\n")}
</nav>
<main>
<h1>${title}</h1>
${text}
</main>
<aside><ul>${sections.join("")}</ul></aside>
</body>
</html>
`;
}
