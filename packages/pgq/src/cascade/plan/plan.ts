/** One change of the set: one transaction in one database, or one wait. Interrupted before or after it, the databases alone
 * say whether it has happened. */
export interface PlanStep {
  /** what it is, in kebab-case; with the node it names the crash point `plan.after-NAME@NODE` */
  readonly name: string;
  /** the node on which it changes or waits for something */
  readonly node: string;
  /** what it does, for a person */
  readonly action: string;
  /** the state by which it is recognised as done, for a person */
  readonly doneWhen: string;
  /** what takes it back when a later step fails; null: it stays, and running the command again goes on from it */
  readonly undoneBy: string | null;
  /** true: it changes nothing, it waits for somebody */
  readonly isWait?: boolean;
  /** Reads whether the databases are in the state that `doneWhen` says; leaves no transaction open. */
  readonly isDone: () => Promise<boolean>;
  /** Brings them there.
   * @throws SkytoolsError, with nothing of the step left when it was a transaction */
  readonly run: () => Promise<void>;
  /** Takes the step back; present when `undoneBy` is. */
  readonly undo?: () => Promise<void>;
  /** true: once begun, nothing before it can be undone any more */
  readonly isPointOfNoReturn?: boolean;
}

/** What the look at the set has found. */
export interface Finding {
  /** refusal: the plan must not run */
  readonly kind: "refusal" | "warning" | "note";
  readonly text: string;
  /** what to do about a refusal */
  readonly hint?: string | undefined;
  /** a node that will not be as the command wants it */
  readonly leftOut?: LeftOut;
}

/** What a command will do, computed from the state of the databases and nothing else: after an interruption the same command
 * computes the rest. */
export interface Plan {
  /** the command and what it is about, for example `takeover oslo by riga` */
  readonly title: string;
  readonly findings: readonly Finding[];
  /** in the order in which they are done; empty when there is nothing to do */
  readonly steps: readonly PlanStep[];
  /** workers that have to be running, asked before anything changes */
  readonly workers: readonly WorkerPlace[];
}

/** A cascaded consumer whose process must answer. */
export interface WorkerPlace {
  readonly nodeName: string;
  readonly consumerName: string;
  /** true: the command can go without its node, which --dead says; others are what it is about */
  readonly canBeLeftOut?: boolean;
}

export function refusals({ findings }: Plan): Finding[] {
  return findings.filter(({ kind }) => kind === "refusal");
}

/** A node for which a plan does nothing. */
export interface LeftOut {
  readonly nodeName: string;
  /** why, or what is to be done, in a few words */
  readonly reason: string;
}

/** Nodes that are not as the command wants them when it has ended. */
export function leftOut({ findings }: Plan): LeftOut[] {
  return findings.flatMap((finding) => finding.leftOut ?? []);
}

/** The name of a step in crash points, in --json and in messages. */
export function stepId(step: Pick<PlanStep, "name" | "node">): string {
  return `${step.name}@${step.node}`;
}
