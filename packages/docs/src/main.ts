// npm run docs [-- TARGET]. Ends with 1 when a program, a module or a link has no page.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildDocumentation } from "./build.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const target = process.argv[2] ?? join(root, "build", "docs");
if (target.startsWith("-")) throw new Error(`"${target}" is no folder; call: npm run docs [-- TARGET]`);

const { programs, brokenLinks } = await buildDocumentation(root, target, true);
for (const link of brokenLinks) console.error(`broken link in ${link}`);
if (brokenLinks.length > 0) process.exitCode = 1;
else console.log(`${target}: manual pages of ${programs.length} programs in man, web pages in html`);
