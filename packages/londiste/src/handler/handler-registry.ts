import { isAbsolute, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Config, ConfigError, nearestName, UsageError } from "@skytools/skytools";
import type { ReplicatedTable } from "../londiste-api.ts";
import { applyfnHandler } from "./applyfn.ts";
import { bulkHandler } from "./bulk.ts";
import { dispatchHandlers } from "./dispatch/dispatch.ts";
import { filterHandler } from "./filter.ts";
import type { Handler, TableHandler } from "./handler.ts";
import { type HandlerSpec, parseHandlerSpec } from "./handler-spec.ts";
import { londisteHandler } from "./londiste.ts";
import { multimasterHandler } from "./multimaster.ts";
import { obfuscateHandler } from "./obfuscate.ts";
import { qsplitterHandler } from "./qsplitter.ts";
import { qtableHandler } from "./qtable.ts";
import { partHandler, shardHandler } from "./shard.ts";
import { fakeLocalHandler, vtableHandler } from "./vtable.ts";

const builtIn: readonly Handler[] = [
  londisteHandler,
  applyfnHandler,
  bulkHandler,
  ...dispatchHandlers,
  fakeLocalHandler,
  filterHandler,
  multimasterHandler,
  obfuscateHandler,
  partHandler,
  qsplitterHandler,
  qtableHandler,
  shardHandler,
  vtableHandler,
];

/** The handlers that a program knows: its own, and those of `handler_modules`. */
export class HandlerRegistry {
  readonly #config: Config;
  readonly #handlers: ReadonlyMap<string, Handler>;

  private constructor(config: Config, handlers: readonly Handler[]) {
    this.#config = config;
    this.#handlers = new Map(handlers.map((handler) => [handler.name, handler]));
  }

  /** @throws ConfigError naming a module that cannot be loaded */
  static async load(config: Config): Promise<HandlerRegistry> {
    const loaded: Handler[] = [];
    for (const module of config.getList("handler_modules")) {
      // Names of the original's modules: all of them are built in.
      if (/^londiste\.handlers?\b/.test(module)) continue;
      loaded.push(...(await loadModule(config, module)));
    }
    return new HandlerRegistry(config, [...builtIn, ...loaded]);
  }

  get all(): readonly Handler[] {
    return [...this.#handlers.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @throws UsageError */
  handler(name: string): Handler {
    const handler = this.#handlers.get(name);
    if (handler !== undefined) return handler;
    const near = nearestName(name, [...this.#handlers.keys()]);
    throw new UsageError(`unknown handler: ${name}`, {
      hint:
        near === undefined
          ? "List them with show-handlers; own ones need handler_modules."
          : `Is it ${near}?`,
    });
  }

  /** Sets a handler up for a table.
   * @throws UsageError for an unknown handler, or arguments that it does not take */
  create(spec: HandlerSpec, table: { readonly name: string; readonly destination: string }): TableHandler {
    const handler = this.handler(spec.name);
    checkArguments(handler, spec.arguments);
    return handler.create({ ...table, arguments: spec.arguments, config: this.#config });
  }

  /** The handler that a table is registered with; undefined: the default one.
   * @throws UsageError */
  ofTable(table: Pick<ReplicatedTable, "name" | "destination" | "attributes">): TableHandler | undefined {
    const spec = handlerSpecOfTable(table);
    return spec === undefined ? undefined : this.create(spec, table);
  }
}

/** undefined: the default handler. */
export function handlerSpecOfTable(table: Pick<ReplicatedTable, "attributes">): HandlerSpec | undefined {
  const text = table.attributes.get("handler") ?? table.attributes.get("handlers") ?? "";
  return text === "" ? undefined : parseHandlerSpec(text);
}

function checkArguments(handler: Handler, values: ReadonlyMap<string, string>): void {
  const known = handler.arguments.map((argument) => argument.name);
  const unknown = [...values.keys()].filter((name) => !known.includes(name));
  if (unknown.length > 0 && handler.hasOpenArguments !== true) {
    const names = unknown.map((name) => `'${name}'`).join(", ");
    throw new UsageError(`Invalid handler argument: [${names}]`, {
      hint: `${handler.name} takes ${known.join(", ") || "none"}.`,
    });
  }
  for (const { name, choices, isRequired } of handler.arguments) {
    const value = values.get(name);
    if (value === undefined || value === "") {
      if (isRequired === true)
        throw new UsageError(`handler ${handler.name} needs --handler-arg=${name}=...`);
    } else if (choices !== undefined && !choices.includes(value)) {
      throw new UsageError(`Bad argument ${name} value ${value}`, { hint: `Values: ${choices.join(", ")}.` });
    }
  }
}

async function loadModule(config: Config, name: string): Promise<readonly Handler[]> {
  const isFile = name.startsWith(".") || isAbsolute(name) || /\.[cm]?js$/.test(name);
  try {
    const module: unknown = await import(isFile ? pathToFileURL(resolve(name)).href : name);
    const handlers = handlersIn(module);
    if (handlers !== undefined) return handlers;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw moduleError(config, `Failed to load handler module: ${name}: ${reason}`, cause);
  }
  throw moduleError(config, `Failed to load handler module: ${name}: it does not export an array "handlers"`);
}

function moduleError(config: Config, message: string, cause?: unknown): ConfigError {
  return new ConfigError(message, { file: config.file, key: "handler_modules", cause });
}

function handlersIn(module: unknown): readonly Handler[] | undefined {
  if (typeof module !== "object" || module === null || !("handlers" in module)) return undefined;
  const { handlers } = module;
  return Array.isArray(handlers) && handlers.every(isHandler) ? handlers : undefined;
}

function isHandler(value: unknown): value is Handler {
  if (typeof value !== "object" || value === null) return false;
  return "name" in value && "create" in value && "arguments" in value && typeof value.create === "function";
}
