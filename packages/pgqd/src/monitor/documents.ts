import { createHash } from "node:crypto";
import { metricFamilies } from "./metric-families.ts";
import { openMetricsText, openMetricsType } from "./open-metrics.ts";
import type { Overview } from "./overview.ts";
import { statusPage } from "./status-page.ts";
import { statusStyle } from "./status-style.ts";

/** What is sent for a path. */
export interface HttpDocument {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
}

type Renderer = (overview: Overview) => HttpDocument;

/** What the daemon serves, by path. */
export const documents: ReadonlyMap<string, Renderer> = new Map<string, Renderer>([
  ["/", (overview) => made(200, "text/html; charset=utf-8", statusPage(overview))],
  ["/metrics", (overview) => made(200, openMetricsType, openMetricsText(metricFamilies(overview)))],
  ["/health", healthDocument],
]);

export function plainDocument(status: number, text: string): HttpDocument {
  return made(status, "text/plain; charset=utf-8", `${text}\n`);
}

/** Nothing may be loaded, run, framed or sent from the pages. */
export const securityHeaders: Readonly<Record<string, string>> = {
  "Content-Security-Policy": [
    "default-src 'none'",
    `style-src 'sha256-${createHash("sha256").update(statusStyle).digest("base64")}'`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cache-Control": "no-store",
};

/** 200 or 503, so that a supervisor needs the status only, and the reasons for whoever reads on. */
function healthDocument({ problems, databases }: Overview): HttpDocument {
  const isHealthy = problems.length === 0;
  const report = {
    status: isHealthy ? "ok" : "failing",
    reasons: problems,
    databases: databases.map(({ state, health }) => ({
      database: state.name,
      status: health.verdict,
      reason: health.reason ?? null,
      secondsSinceTick: health.secondsSinceTick ?? null,
    })),
  };
  return made(isHealthy ? 200 : 503, "application/json", `${JSON.stringify(report, null, 2)}\n`);
}

function made(status: number, contentType: string, text: string): HttpDocument {
  return { status, contentType, body: Buffer.from(text) };
}
