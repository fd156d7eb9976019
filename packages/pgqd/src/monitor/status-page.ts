import { formatCount, formatDuration } from "@skytools/skytools";
import type { ConsumerFigures, DatabaseFigures, QueueFigures } from "./figures.ts";
import type { HealthVerdict } from "./health.ts";
import { Html, html } from "./html.ts";
import type { DatabaseOverview, Overview } from "./overview.ts";
import { statusStyle } from "./status-style.ts";

const refreshSeconds = 5;
/** rows of a table on the page; /metrics has all of them */
const mostRows = 100;
const nothing = new Html("");

/** The status page: everything on one page that needs no script and no other resource, and loads itself anew. */
export function statusPage(overview: Overview): string {
  const isHealthy = overview.problems.length === 0;
  return `<!doctype html>\n${
    html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="${refreshSeconds}">
<link rel="icon" href="data:,">
<title>${isHealthy ? "" : "! "}pgqd</title>
<style>${new Html(statusStyle)}</style>
</head>
<body>
<header><h1>pgqd</h1><span class="soft">${overview.version}, up ${duration(overview.uptimeSeconds)}</span></header>
${banner(overview)}
${tiles(overview)}
${overview.databases.filter(isShown).map(databaseSection)}
${ignoredSection(overview.databases.filter((database) => !isShown(database)))}
<footer>Loaded anew every ${refreshSeconds} s. <a href="/metrics">/metrics</a> for Prometheus,
<a href="/health">/health</a> for load balancers and supervisors.</footer>
</body>
</html>
`.text
  }`;
}

function isShown({ health }: DatabaseOverview): boolean {
  return health.verdict !== "ignored";
}

function banner({ problems, databases }: Overview): Html {
  const shown = databases.filter(isShown);
  if (problems.length === 0) {
    const text = shown.length === 0 ? "No database has PgQ" : "All databases are ticked";
    return html`<div class="banner ${shown.length === 0 ? "warn" : "good"}" role="status"><strong>${text}</strong></div>`;
  }
  const items = problems.slice(0, mostRows).map((problem) => html`<li>${problem}</li>`);
  return html`<div class="banner bad" role="alert"><strong>Not healthy</strong><ul>${items}</ul></div>`;
}

function tiles({ databases }: Overview): Html {
  const figures = databases.flatMap((database) => database.figures ?? []);
  const queues = figures.flatMap((each) => each.queues);
  const consumers = figures.flatMap((each) => each.consumers);
  const rate = queues.reduce((sum, queue) => sum + (queue.eventsPerSecond ?? 0), 0);
  const lag = Math.max(0, ...consumers.map((consumer) => consumer.lagSeconds ?? 0));
  const tile = (title: string, value: string) => html`<div><dt>${title}</dt><dd>${value}</dd></div>`;
  return html`<dl class="tiles">${[
    tile("Databases", formatCount(databases.filter(isShown).length)),
    tile("Queues", formatCount(queues.length)),
    tile("Consumers", formatCount(consumers.length)),
    tile("Events/s", decimal(rate)),
    tile("Longest lag", consumers.length === 0 ? "–" : duration(lag)),
  ]}</dl>`;
}

const colours: Readonly<Record<HealthVerdict, string>> = {
  ok: "good",
  starting: "warn",
  failing: "bad",
  ignored: "soft",
};

function databaseSection({ state, health, figures, figuresAgeSeconds }: DatabaseOverview): Html {
  const { verdict, secondsSinceTick, reason } = health;
  const facts = [
    ...(state.version === undefined ? [] : [`PgQ ${state.version}`]),
    secondsSinceTick === undefined ? "no tick yet" : `ticked ${duration(secondsSinceTick)} ago`,
    ...(figuresAgeSeconds === undefined ? [] : [`figures ${duration(figuresAgeSeconds)} old`]),
  ];
  return html`<section>
<div class="head"><h2><span class="${colours[verdict]}">●</span> ${state.name}</h2>
<span class="${colours[verdict]}">${verdict === "ok" ? "" : (reason ?? verdict)}</span>
<span class="soft">${facts.join(" · ")}</span></div>
${figures === undefined ? nothing : figureTables(figures)}
</section>
`;
}

function figureTables(figures: DatabaseFigures): Html {
  return html`${queueTable(figures.queues)}${consumerTable(figures.consumers)}${databaseLine(figures)}`;
}

function queueTable(queues: readonly QueueFigures[]): Html {
  if (queues.length === 0) return html`<p class="soft">No queues.</p>`;
  const rows = queues.map((queue) => {
    const isLate = queue.rotationAgeSeconds > queue.rotationPeriodSeconds * 2;
    return html`<tr><td class="name" title="${queue.queueName}">${queue.queueName}</td>
<td>${queue.isPaused ? html`<span class="warn">paused</span>` : queue.hasExternalTicker ? "external" : ""}</td>
<td>${duration(queue.tickAgeSeconds)}</td><td>${decimal(queue.eventsPerSecond)}</td><td>${count(queue.newEvents)}</td>
<td class="${isLate ? "warn" : ""}">${duration(queue.rotationAgeSeconds)} / ${duration(queue.rotationPeriodSeconds)}</td></tr>
`;
  });
  return table(["Queue", "", "Tick age", "Events/s", "New events", "Rotated / period"], rows);
}

function consumerTable(consumers: readonly ConsumerFigures[]): Html {
  if (consumers.length === 0) return nothing;
  const worstFirst = consumers.toSorted((a, b) => (b.lagSeconds ?? 0) - (a.lagSeconds ?? 0));
  const rows = worstFirst.slice(0, mostRows).map(
    (consumer) => html`<tr><td class="name" title="${consumer.consumerName}">${consumer.consumerName}</td>
<td class="name" title="${consumer.queueName}">${consumer.queueName}</td><td>${duration(consumer.lagSeconds)}</td>
<td>${count(consumer.pendingEvents)}</td><td>${duration(consumer.lastSeenSeconds)}</td></tr>
`,
  );
  const heads = ["Consumer", "Queue", "Lag", "Pending events", "Last seen"];
  return table(heads, rows, consumers.length);
}

function table(heads: readonly string[], rows: readonly Html[], total = rows.length): Html {
  const shown = rows.slice(0, mostRows);
  const cells = heads.map((head) =>
    head === "Queue" ? html`<th class="name">${head}</th>` : html`<th>${head}</th>`,
  );
  const rest = total - shown.length;
  const more = rest > 0 ? html`<p class="soft">and ${rest} more, see /metrics</p>` : nothing;
  return html`<div class="scroll"><table><thead><tr>${cells}</tr></thead><tbody>${shown}</tbody></table></div>${more}`;
}

function databaseLine({ longestTransactionSeconds, tables }: DatabaseFigures): Html {
  const oldest = longestTransactionSeconds === undefined ? "none" : duration(longestTransactionSeconds);
  const dead = tables.map(({ tableName, deadRows }) => `${tableName} ${count(deadRows)}`).join(", ");
  return html`<p class="soft">Oldest transaction: ${oldest} · Dead rows: ${dead}</p>`;
}

function ignoredSection(ignored: readonly DatabaseOverview[]): Html {
  if (ignored.length === 0) return nothing;
  const names = ignored
    .slice(0, mostRows)
    .map(
      ({ state, health }) =>
        html`<tr><td class="name">${state.name}</td><td class="name">${health.reason ?? ""}</td></tr>`,
    );
  return html`<section><h2 class="soft">Left alone</h2><div class="scroll"><table class="brief"><tbody>${names}</tbody></table></div></section>`;
}

function duration(seconds: number | undefined): string {
  return seconds === undefined ? "–" : formatDuration(Math.max(0, seconds));
}

function decimal(value: number | undefined): string {
  return value === undefined ? "–" : value.toFixed(1);
}

function count(value: bigint | undefined): string {
  return value === undefined ? "–" : formatCount(value);
}
