import type { Command, Job } from "@skytools/skytools";
import { printJson } from "@skytools/skytools";
import type { Handler } from "../handler/handler.ts";
import { HandlerRegistry } from "../handler/handler-registry.ts";

/** Source: spec/londiste.md section 2 */
export const showHandlersCommand: Command = {
  name: "show-handlers",
  args: "[NAME...]",
  summary: "list the handlers, or tell all about some of them",
  pidfile: "none",
  run: showHandlers,
};

async function showHandlers(job: Job): Promise<void> {
  const registry = await HandlerRegistry.load(job.config);
  const handlers = job.args.length === 0 ? registry.all : job.args.map((name) => registry.handler(name));
  if (job.json) {
    const described = handlers.map(({ name, summary, doc, arguments: list }) => ({
      name,
      summary,
      doc,
      arguments: list,
    }));
    printJson(job.stdout, described);
    return;
  }
  const texts = handlers.map((handler) =>
    job.args.length === 0 ? `${handler.name} - ${handler.summary}\n` : description(handler),
  );
  job.stdout.write(texts.join(job.args.length === 0 ? "" : "\n"));
}

function description({ name, summary, doc, arguments: list }: Handler): string {
  const lines = list.map((argument) => {
    const notes = [
      ...(argument.choices === undefined ? [] : [argument.choices.join(" | ")]),
      ...(argument.default === undefined || argument.default === "" ? [] : [`default ${argument.default}`]),
      ...(argument.isRequired === true ? ["required"] : []),
    ];
    return `  ${argument.name}: ${argument.doc}${notes.length === 0 ? "" : ` (${notes.join("; ")})`}\n`;
  });
  const more = doc === "" ? "" : `\n${doc}\n`;
  return `${name} - ${summary}\n${more}${lines.length === 0 ? "" : `\n--handler-arg:\n${lines.join("")}`}`;
}
