import { readFileSync } from "node:fs";

const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
};

/** Version of this framework. */
export const skytoolsVersion: string = manifest.version;

/** The text of --version. */
export function versionText(service: string, version: string): string {
  const own = version === "" || version === skytoolsVersion ? "" : ` version ${version}`;
  return `${service}${own}, Skytools version ${skytoolsVersion}`;
}
