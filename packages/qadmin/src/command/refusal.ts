import { SkytoolsError } from "@skytools/skytools";

/** A command that cannot be done as things are: it says so, and the console goes on. In a script it is no failure, unless --strict.
 * Source: spec/qadmin.md 1 (exit status) */
export class Refusal extends SkytoolsError {
  constructor(message: string) {
    super("REFUSED", message);
  }
}
