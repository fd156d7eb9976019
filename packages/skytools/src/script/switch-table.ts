import { commonSwitchesOf } from "./common-switches.ts";
import type { Command, Program, Switch } from "./program.ts";

/** A switch taken apart. */
export interface ParsedSwitch {
  readonly definition: Switch;
  /** without dashes, for example "dest-table" */
  readonly long: string;
  /** one letter */
  readonly short: string | undefined;
  /** name of the argument; undefined for a switch without one */
  readonly argument: string | undefined;
  readonly isRepeatable: boolean;
  /** camel-case form of `long` */
  readonly name: string;
}

/** @throws Error when the flags are not of the form `-x, --long-name <argument>` */
export function parseSwitch(definition: Switch): ParsedSwitch {
  const parts = /^(?:-(\w),?\s+)?--([a-z][a-z0-9-]*)(?:[ =]<([^>]+?)(\.\.\.)?>)?$/.exec(definition.flags);
  if (parts === null) throw new Error(`bad flags of a switch: "${definition.flags}"`);
  const [, short, long, argument, dots] = parts;
  return {
    definition,
    long: long!,
    short,
    argument,
    isRepeatable: definition.repeatable === true || dots !== undefined,
    name: long!.replace(/-(.)/g, (_dash, letter: string) => letter.toUpperCase()),
  };
}

/** Which switches a program knows, and which of them its commands take. */
export class SwitchTable {
  /** those of every program; one without configuration file may use their names and letters for its own */
  readonly common: readonly ParsedSwitch[];
  /** for every command */
  readonly shared: readonly ParsedSwitch[];
  /** every switch once; commands may share one if it is of the same form */
  readonly all: readonly ParsedSwitch[];
  readonly #ofCommand: ReadonlyMap<Command, readonly ParsedSwitch[]>;

  /** @throws Error when the same name is declared in different forms */
  constructor(program: Program) {
    this.shared = [...program.switches, ...(program.startupSwitches ?? [])].map(parseSwitch);
    const isTaken = ({ long, short }: ParsedSwitch) =>
      this.shared.some((own) => own.long === long || (own.short !== undefined && own.short === short));
    this.common = commonSwitchesOf(program)
      .map(parseSwitch)
      .filter((each) => program.hasConfigFile !== false || !isTaken(each));
    const commands = program.commands ?? [];
    this.#ofCommand = new Map(
      commands.map((command) => [
        command,
        [...(command.switches ?? []), ...(command.startupSwitches ?? [])].map(parseSwitch),
      ]),
    );
    this.all = distinct([...this.common, ...this.shared, ...[...this.#ofCommand.values()].flat()]);
  }

  /** Switches of one command beside the common ones. */
  ofCommand(command: Command | undefined): readonly ParsedSwitch[] {
    const own = (command && this.#ofCommand.get(command)) ?? [];
    return [...own, ...this.shared.filter((shared) => own.every((each) => each.long !== shared.long))];
  }

  /** Commands that take a switch of their own by this name. */
  commandsWith(long: string): string[] {
    return [...this.#ofCommand]
      .filter(([, switches]) => switches.some((each) => each.long === long))
      .map(([command]) => command.name);
  }
}

function distinct(switches: readonly ParsedSwitch[]): ParsedSwitch[] {
  const byName = new Map<string, ParsedSwitch>();
  for (const each of switches) {
    const known = byName.get(each.long) ?? each;
    byName.set(each.long, known);
    if ((known.argument === undefined) !== (each.argument === undefined) || known.short !== each.short) {
      throw new Error(`switch --${each.long} is declared in two forms`);
    }
  }
  return [...byName.values()];
}
