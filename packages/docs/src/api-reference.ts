import { join } from "node:path";
import { Application } from "typedoc";

/** Packages that others program against: their entries, below the project's folder. */
const entries = [
  "packages/skytools/src/index.ts",
  "packages/pgq/src/index.ts",
  "packages/pgq/src/cascade/index.ts",
  "packages/londiste/src/index.ts",
  "sql/src/index.ts",
];

/** Writes the web pages of the TypeScript interface, made of its docstrings.
 * @throws Error when a source cannot be read */
export async function writeApiReference(root: string, target: string): Promise<void> {
  const application = await Application.bootstrap({
    name: "Skytools for Node",
    entryPoints: entries.map((entry) => join(root, entry)),
    tsconfig: join(root, "packages", "tsconfig.base.json"),
    // The compiler of the project checks the sources; this one only reads them.
    skipErrorChecking: true,
    disableSources: true,
    disableGit: true,
    readme: "none",
    hideGenerator: true,
    logLevel: "Error",
    navigationLinks: { Documentation: "../index.html" },
  });
  const project = await application.convert();
  if (project === undefined) throw new Error("the TypeScript interface could not be read");
  await application.generateDocs(project, target);
}
