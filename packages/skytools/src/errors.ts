/** What may help after a failure: `no`: it fails again for sure; `later`: the same work may succeed when it is tried
 * again; `reconnect`: it may succeed on a new connection. */
export type RetryClass = "no" | "later" | "reconnect";

export interface SkytoolsErrorOptions {
  /** a whole sentence that tells the operator what to do next */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  /** default `no` */
  readonly retry?: RetryClass | undefined;
  /** exit code of a program that ends by this error; default 1 */
  readonly exitCode?: number | undefined;
  /** the log says already what went wrong */
  readonly isLogged?: boolean | undefined;
}

/** Every failure that we know about. The message is one line, lower case, without final stop, and names host, database
 * and object; it holds no row values and no passwords. */
export class SkytoolsError extends Error {
  /** stable name of the kind of failure, for example `QUEUE_NOT_FOUND` */
  readonly code: string;
  readonly hint: string | undefined;
  readonly retry: RetryClass;
  readonly exitCode: number;
  readonly isLogged: boolean;

  constructor(code: string, message: string, options: SkytoolsErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint;
    this.retry = options.retry ?? "no";
    this.exitCode = options.exitCode ?? 1;
    this.isLogged = options.isLogged ?? false;
  }
}

/** The program was called wrongly. Ends a daemon too, without a retry: exit 1, or 2 from the option parser. */
export class UsageError extends SkytoolsError {
  constructor(message: string, options: SkytoolsErrorOptions = {}) {
    super("USAGE", message, options);
  }
}

export interface ConfigErrorOptions extends SkytoolsErrorOptions {
  readonly file?: string | undefined;
  readonly section?: string | undefined;
  readonly key?: string | undefined;
  /** counted from 1 */
  readonly line?: number | undefined;
}

/** Something is wrong with a configuration file. The message begins with the place, as far as it is known:
 * `conf.ini:12: [londiste] loop_delay: "often" is not a number`. */
export class ConfigError extends SkytoolsError {
  readonly file: string | undefined;
  readonly section: string | undefined;
  readonly key: string | undefined;
  readonly line: number | undefined;

  constructor(message: string, options: ConfigErrorOptions = {}) {
    super("CONFIG", `${configPlace(options)}${message}`, options);
    this.file = options.file;
    this.section = options.section;
    this.key = options.key;
    this.line = options.line;
  }
}

function configPlace({ file, section, key, line }: ConfigErrorOptions): string {
  const inFile = file && line !== undefined ? `${file}:${line}: ` : file ? `${file}: ` : "";
  const inSection = section && key ? `[${section}] ` : section ? `[${section}]: ` : "";
  return `${inFile}${inSection}${key ? `${key}: ` : ""}`;
}

export interface DatabaseErrorOptions extends SkytoolsErrorOptions {
  readonly sqlState?: string | undefined;
  /** where: `db on host:port`, never a password */
  readonly database?: string | undefined;
  /** the statement, shortened */
  readonly query?: string | undefined;
  readonly detail?: string | undefined;
}

/** A database refused a statement or a connection, or went away. */
export class DatabaseError extends SkytoolsError {
  readonly sqlState: string | undefined;
  readonly database: string | undefined;
  readonly query: string | undefined;
  readonly detail: string | undefined;

  constructor(message: string, options: DatabaseErrorOptions = {}) {
    super("DATABASE", message, options);
    this.sqlState = options.sqlState;
    this.database = options.database;
    this.query = options.query;
    this.detail = options.detail;
  }
}
