import { consoleCommands } from "../command/command-table.ts";
import { Completer } from "../completion/completer.ts";
import type { LiveNames } from "../completion/live-names.ts";
import type { NameList } from "../grammar/grammar.ts";
import { metaCommands } from "../meta/meta-table.ts";
import type { Session } from "../session/session.ts";

/** Completion of what is typed at the prompt: the language, and backslash commands. */
export class LineCompletion {
  readonly #names: (list: NameList) => ReturnType<LiveNames["list"]>;
  readonly #completer: Completer;

  constructor(session: Session, names: LiveNames) {
    this.#names = (list) => names.list(list, session.connstr, session.queue);
    this.#completer = new Completer({ commands: consoleCommands, names: this.#names });
  }

  /** @param begun earlier lines of the command
   * @param line up to the cursor */
  async complete(begun: string, line: string): Promise<[candidates: string[], replaced: string]> {
    if (begun === "" && /^\s*\\/.test(line)) return await this.#completeMeta(line);
    const [candidates, replaced] = await this.#completer.complete(begun + line);
    return [candidates, replaced];
  }

  async #completeMeta(line: string): Promise<[string[], string]> {
    const [, name, word] = /^\s*\\(\S*)(?:\s+(.*))?$/s.exec(line) ?? [];
    if (name === undefined) return [[], ""];
    if (word === undefined) {
      const found = metaCommands.filter((command) => command.name.startsWith(name));
      return [found.map((command) => `\\${command.name} `), `\\${name}`];
    }
    const completes = metaCommands.find((command) => command.name === name)?.completes;
    const known =
      completes === undefined
        ? []
        : typeof completes === "string"
          ? (await this.#names(completes)).map(({ typed }) => typed)
          : completes;
    return [known.filter((each) => each.startsWith(word)), word];
  }
}
