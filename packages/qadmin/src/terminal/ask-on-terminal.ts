import { createInterface } from "node:readline/promises";

/** Asks whoever started a script. @param what completes "really ...?" */
export async function askOnTerminal(what: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return isYes(await terminal.question(confirmation(what)));
  } finally {
    terminal.close();
  }
}

export const confirmation = (what: string): string => `Really ${what}? [y/N] `;

export const isYes = (answer: string): boolean => /^\s*y(es)?\s*$/i.test(answer);
