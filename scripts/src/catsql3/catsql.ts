import type { Job, Program } from "@skytools/skytools";
import { commentsBeforeFunctions } from "./function-comments.ts";
import { flattenScripts } from "./psql-script.ts";

/** Prints psql scripts with the files that they include in place of the `\i` lines.
 * Source: spec/scripts.md section 12.2 */
export const catsql: Program = {
  service: "catsql3",
  version: "1.0",
  summary: "makes one SQL text of psql scripts and the files that they include",
  hasConfigFile: false,
  args: "<FILE...>",
  config: [],
  switches: [
    {
      flags: "--ndoc",
      doc: "for documentation generators: the comment that opens a function's body goes before the function",
    },
  ],
  run,
};

async function run(job: Job): Promise<void> {
  const lines = flattenScripts(job.args, process.cwd());
  const text = job.flag("ndoc") ? commentsBeforeFunctions(lines) : lines;
  job.stdout.write(text.map((line) => `${line}\n`).join(""));
}
