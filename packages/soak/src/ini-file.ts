import { renameSync, writeFileSync } from "node:fs";

type Values = Readonly<Record<string, string | number>>;

/** A configuration file that is written again and again. */
export class IniFile {
  readonly path: string;
  readonly #section: string;
  readonly #values: Values;

  constructor(path: string, section: string, values: Values) {
    this.path = path;
    this.#section = section;
    this.#values = values;
    this.write({});
  }

  /** At once: commands read it at any time. @param changes instead of what stood there at first */
  write(changes: Values): void {
    const lines = Object.entries({ ...this.#values, ...changes }).map(
      ([key, value]) => `${key} = ${value}\n`,
    );
    writeFileSync(`${this.path}.new`, `[${this.#section}]\n${lines.join("")}`);
    renameSync(`${this.path}.new`, this.path);
  }
}
