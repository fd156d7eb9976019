import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Document, LoggerManager, load, MemoryLogger } from "@asciidoctor/core";
import { type GeneratedText, generatedIncludes } from "./generated-include.ts";

/** A page read from its AsciiDoc source. */
export interface LoadedPage {
  readonly document: Document;
  /** the converted text: a whole manual page, or the body of a web page */
  readonly text: string;
}

/** Converts one source file.
 * @throws Error with every complaint of the converter */
export async function convertPage(
  file: string,
  backend: "manpage" | "html5",
  generated: GeneratedText,
  attributes: Readonly<Record<string, string>>,
): Promise<LoadedPage> {
  const log = MemoryLogger.create();
  LoggerManager.setLogger(log);
  const document = (await load(readFileSync(file, "utf8"), {
    backend,
    safe: "safe",
    base_dir: join(generated.root, "doc"),
    standalone: backend === "manpage",
    extension_registry: generatedIncludes(generated),
    attributes: { ...attributes, "attribute-missing": "warn", experimental: "", sectanchors: "" },
  })) as Document;
  const text = String(await document.convert());
  const complaints = log.getMessages().map((message) => String(message.getText()));
  if (complaints.length > 0) throw new Error(`${file}: ${complaints.join("; ")}`);
  return { document, text };
}
