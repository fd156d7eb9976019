import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Alarm } from "../alarm.ts";
import type { DaemonContext } from "../daemon-context.ts";
import { describe, Trouble } from "../trouble.ts";
import { documents, type HttpDocument, plainDocument, securityHeaders } from "./documents.ts";
import { formatListenAddress, isLoopback, type ListenAddress } from "./listen-address.ts";
import type { Overview } from "./overview.ts";

const longPauseMs = 3_600_000;
/** a document is made at most once in this time, however often it is asked for */
const documentLifeMs = 1000;
const limits = {
  connections: 32,
  requestsPerConnection: 1000,
  headerBytes: 8192,
  requestMs: 5000,
  idleMs: 5000,
  silentMs: 10_000,
};

/** Serves metrics, health and the status page over HTTP, read only and bounded. A port that cannot be had is logged and tried
 * again: ticks are more important. */
export class MonitorServer {
  readonly #context: DaemonContext;
  readonly #overview: () => Overview;
  readonly #alarm = new Alarm();
  readonly #trouble: Trouble;
  readonly #made = new Map<string, { readonly document: HttpDocument; readonly atMs: number }>();
  #server: Server | undefined;
  #address: ListenAddress | undefined;
  #isStopping = false;

  constructor(context: DaemonContext, overview: () => Overview) {
    this.#context = context;
    this.#overview = overview;
    this.#trouble = new Trouble(context.log, "http", { sqlMs: 10_000, longestConnectMs: 60_000 });
  }

  /** Listens where the settings say until `stop`. */
  async run(): Promise<void> {
    while (!this.#isStopping) {
      const pauseMs = await this.#follow(this.#context.settings.httpListen);
      if (!this.#isStopping) await this.#alarm.sleep(pauseMs);
    }
    this.#close();
  }

  /** The settings may have changed. */
  wake(): void {
    this.#alarm.ring();
  }

  stop(): void {
    this.#isStopping = true;
    this.#alarm.ring();
  }

  /** @returns milliseconds until the next try */
  async #follow(wanted: ListenAddress | undefined): Promise<number> {
    const isSame = wanted?.host === this.#address?.host && wanted?.port === this.#address?.port;
    if (isSame) return longPauseMs;
    this.#close();
    if (wanted === undefined) return longPauseMs;
    try {
      await this.#listen(wanted);
      this.#trouble.over();
      return longPauseMs;
    } catch (error) {
      return this.#trouble.failed(error);
    }
  }

  async #listen(wanted: ListenAddress): Promise<void> {
    const { log } = this.#context;
    const server = createServer({
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.requestMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.idleMs,
      connectionsCheckingInterval: limits.requestMs / 5,
    });
    server.maxConnections = limits.connections;
    server.maxRequestsPerSocket = limits.requestsPerConnection;
    server.timeout = limits.silentMs;
    server.on("request", (request, response) => this.#answer(request, response));
    server.listen(wanted.port, wanted.host);
    await once(server, "listening");
    server.on("error", (error) => log.error(`http: ${describe(error)}`));
    this.#server = server;
    this.#address = wanted;
    const bound = server.address();
    const port = bound !== null && typeof bound === "object" ? bound.port : wanted.port;
    log.info(`http: listening on http://${formatListenAddress({ host: wanted.host, port })}/`);
    if (!isLoopback(wanted.host)) log.warning("http: other hosts can read it, and there is no password");
  }

  #close(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
    this.#server = undefined;
    this.#address = undefined;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const document = this.#safeDocumentFor(request);
    const isLast = hasRequestBody(request) || !isKnownVersion(request);
    response.writeHead(document.status, {
      ...securityHeaders,
      "Content-Type": document.contentType,
      "Content-Length": document.body.length,
      ...(document.status === 405 ? { Allow: "GET, HEAD" } : {}),
      ...(isLast ? { Connection: "close" } : {}),
    });
    response.end(request.method === "HEAD" ? undefined : document.body);
    if (isLast) response.once("finish", () => request.destroy());
  }

  /** A fault here must not stop the ticks. */
  #safeDocumentFor(request: IncomingMessage): HttpDocument {
    try {
      return this.#documentFor(request);
    } catch (error) {
      this.#context.log.error(`http: ${describe(error)}`);
      return plainDocument(500, "this failed, see the log");
    }
  }

  #documentFor(request: IncomingMessage): HttpDocument {
    if (!isKnownVersion(request)) return plainDocument(505, "HTTP/1.0 or HTTP/1.1, please");
    if (request.method !== "GET" && request.method !== "HEAD") return plainDocument(405, "read only");
    if (hasRequestBody(request)) return plainDocument(413, "a request has no body here");
    const path = (request.url ?? "/").split("?", 1)[0]!;
    const render = documents.get(path);
    if (render === undefined) return plainDocument(404, `there are ${[...documents.keys()].join(", ")}`);
    const made = this.#made.get(path);
    const nowMs = performance.now();
    if (made !== undefined && nowMs - made.atMs < documentLifeMs) return made.document;
    const document = render(this.#overview());
    this.#made.set(path, { document, atMs: nowMs });
    return document;
  }
}

function hasRequestBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) !== 0;
}

/** Before 1.0 a request was a line without version and headers, and so are many texts that are none. */
function isKnownVersion({ httpVersion }: IncomingMessage): boolean {
  return httpVersion === "1.0" || httpVersion === "1.1";
}
