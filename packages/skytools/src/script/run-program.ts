import { basename } from "node:path";
import type { ConfigFindings } from "../config/check-config.ts";
import { Config } from "../config/config.ts";
import { configTemplate } from "../config/template.ts";
import { ConfigError, SkytoolsError, UsageError } from "../errors.ts";
import type { LogLevel } from "../log/log.ts";
import { planLog } from "../log/log-setup.ts";
import { redactSecrets } from "../log/redact.ts";
import { stderrSink } from "../log/stderr-sink.ts";
import { printJson } from "../terminal/json.ts";
import { versionText } from "../version.ts";
import { type CommandLine, parseCommandLine, switchValues } from "./command-line.ts";
import { DaemonChild } from "./daemonize.ts";
import { describeProgram } from "./describe-program.ts";
import { databaseConfig, frameworkConfig } from "./framework-config.ts";
import { helpText, usageLine } from "./help.ts";
import { checkOperands, findCommand, similarCommand } from "./operands.ts";
import type { Command, Program } from "./program.ts";
import { runJob, signalProgram } from "./run-job.ts";
import { hideSecretsOfCommandLine } from "./secrets-of-process.ts";
import { SwitchTable } from "./switch-table.ts";

const lingerMs = 1000;

/** Runs a program from its command line to its end and sets `process.exitCode`:
 * 0 normal end; 1 failure; 2 wrong switches. A fatal signal ends the process by that signal.
 * @param argv the words after the program's name
 * Source: spec/framework.md 2 and 3 */
export async function runProgram(
  program: Program,
  argv: readonly string[] = process.argv.slice(2),
): Promise<void> {
  process.stdout.on("error", leaveOnClosedPipe);
  hideSecretsOfCommandLine(argv);
  const exitCode = await new Invocation(program, argv).run();
  process.exitCode = exitCode;
  // What a program forgot to close must not keep it alive for ever.
  setTimeout(() => process.exit(exitCode), lingerMs).unref();
}

/** Somebody like `head` has seen enough. */
function leaveOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
  process.exit(process.exitCode ?? 0);
}

class Invocation {
  readonly #program: Program;
  readonly #argv: readonly string[];
  readonly #table: SwitchTable;
  readonly #name: string;

  constructor(program: Program, argv: readonly string[]) {
    this.#program = program;
    this.#argv = argv;
    this.#table = new SwitchTable(program);
    this.#name = basename(process.argv[1] ?? program.service).replace(/\.[cm]?js$/, "");
  }

  async run(): Promise<number> {
    const child = DaemonChild.detect(process.env);
    const console = child ?? stderrSink;
    try {
      const line = parseCommandLine(this.#program, this.#table, this.#argv);
      return this.#answer(line) ?? (await this.#withConfig(line, child));
    } catch (error) {
      if (!(error instanceof SkytoolsError)) throw error;
      const isParserError = error instanceof UsageError && error.exitCode === 2;
      const usage = isParserError ? `${usageLine(this.#program, this.#name)}\n\n` : "";
      console.write(`${usage}${this.#complaint(error)}`);
      return error.exitCode;
    }
  }

  /** What needs no configuration file. */
  #answer({ request, command, overrides, isJson }: CommandLine): number | undefined {
    const { service, version } = this.#program;
    if (request === "help" && isJson)
      printJson(process.stdout, describeProgram(this.#program, this.#table, this.#groups()));
    else if (request === "help")
      process.stdout.write(helpText(this.#program, this.#table, command, this.#name));
    else if (request === "version") process.stdout.write(`${versionText(service, version)}\n`);
    else if (request === "template") process.stdout.write(configTemplate(service, this.#groups(), overrides));
    else return undefined;
    return 0;
  }

  async #withConfig(line: CommandLine, child: DaemonChild | undefined): Promise<number> {
    const { hasConfigFile = true } = this.#program;
    const [file, words] = hasConfigFile ? [line.operands[0], line.operands.slice(1)] : ["", line.operands];
    if (file === undefined) return refuse("need config file, use --help for help.");
    const isSignal = line.request !== undefined && line.request !== "check";
    const command = this.#command(words);
    if (typeof command === "string" && line.request === undefined) return refuse(command);
    const chosen = typeof command === "string" ? undefined : command;
    const args =
      chosen === undefined && this.#program.commands !== undefined ? [] : words.slice(chosen ? 1 : 0);
    const switches = switchValues(this.#table, chosen, isSignal ? new Map() : line.given);

    const options = {
      groups: this.#groups(),
      sectionAliases: this.#program.sectionAliases ?? [],
      overrides: line.overrides,
    };
    const config = hasConfigFile
      ? Config.load(file, this.#program.service, options)
      : Config.parse("", this.#program.service, options);
    const { errors, suspicions } = this.#findings(config);
    const isCheck = line.request === "check";
    const problems = isCheck ? [...errors, ...suspicions] : errors;
    if (problems.length > 0) {
      if (isCheck && line.isJson) printJson(process.stdout, checkReport(file, problems));
      for (const problem of problems) (child ?? stderrSink).write(this.#complaint(problem));
      return 1;
    }
    const logPlan = planLog(config, {
      level: logLevel(line),
      console: child ?? stderrSink,
      // Whoever waits for the background process to start wants to know what is wrong, not what is going on.
      consoleLevel: child === undefined ? undefined : "warn",
      isDaemon: line.isDaemon,
      env: process.env,
    });
    if (isCheck) {
      if (line.isJson) printJson(process.stdout, checkReport(file, []));
      else process.stdout.write(`${file}: ok\n`);
      return 0;
    }
    const programLog = logPlan.open();
    const { log } = programLog;
    if (isSignal) return signalProgram(config, chosen, args, line.request as NodeJS.Signals, log);
    if (child === undefined) for (const suspicion of suspicions) log.warn(suspicion.message);
    const exitCode = await runJob({
      program: this.#program,
      command: chosen,
      args,
      switches,
      given: line.given,
      config,
      programLog,
      argv: this.#argv,
      child,
      isDaemon: line.isDaemon,
      isVerbose: line.verbosity > 0,
      isJson: line.isJson,
    });
    await programLog.close();
    return exitCode;
  }

  /** The command that the words after the file begin with; text when that is not possible. */
  #command(words: readonly string[]): Command | undefined | string {
    const { commands, args = "" } = this.#program;
    const [name, ...operands] = words;
    if (commands === undefined) {
      checkOperands(`program ${this.#name}`, args, words);
      return undefined;
    }
    if (name === undefined) return "need command, use --help for help.";
    const command = findCommand(this.#program, name);
    if (command === undefined) return this.#unknownCommand(name);
    checkOperands(`command '${command.name}'`, command.args, operands);
    return command;
  }

  #unknownCommand(name: string): string {
    const similar = similarCommand(this.#program, name);
    const guess = similar === undefined ? "" : `\nDid you mean ${similar}?`;
    return `Unknown command '${name}', use --help for help${guess}`;
  }

  #findings(config: Config): ConfigFindings {
    const { errors, suspicions } = config.findings();
    if (errors.length > 0 || this.#program.findings === undefined) return { errors, suspicions };
    const further = this.#program.findings(config);
    return { errors: further.errors, suspicions: [...suspicions, ...further.suspicions] };
  }

  #groups() {
    return [...this.#program.config, databaseConfig, frameworkConfig];
  }

  #complaint(error: SkytoolsError): string {
    const hint = error.hint === undefined ? "" : `HINT: ${error.hint}\n`;
    const kind = error instanceof ConfigError ? "" : "error: ";
    return redactSecrets(`${this.#name}: ${kind}${error.message}\n${hint}`);
  }
}

/** What --check finds, for --json. */
function checkReport(file: string, problems: readonly ConfigError[]) {
  return {
    file,
    isGood: problems.length === 0,
    problems: problems.map(({ message, section, key, line, hint }) => ({
      message,
      section,
      key,
      line,
      hint,
    })),
  };
}

function refuse(text: string): number {
  process.stdout.write(`${text}\n`);
  return 1;
}

function logLevel({ verbosity, isQuiet }: CommandLine): LogLevel {
  if (verbosity > 1) return "trace";
  if (verbosity === 1) return "debug";
  return isQuiet ? "warn" : "info";
}
