import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { type Cluster, moduleDatabase, startCluster, temporaryDirectory, waitFor } from "@skytools/testbed";
import { type Browser, chromium, type Page } from "playwright-core";
import { busyQueue, Configuration } from "./fixture.js";
import { impatient, type MonitoredDaemon, monitored, patient } from "./monitored-daemon.js";

const executablePath = process.env.SKYTOOLS_CHROMIUM ?? "/usr/bin/chromium";
const skip = existsSync(executablePath)
  ? false
  : "no chromium: install it with .ci/install-chromium, or name it in SKYTOOLS_CHROMIUM";

/* No sandbox: it refuses root. The others keep the browser from calling its maker's servers. */
const browserArguments = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const hostileName = `<script>document.title = "broken"</script>" onclick='x' &lt;`;

describe("pgqd's status page in a browser", { skip }, () => {
  let cluster: Cluster;
  let daemon: MonitoredDaemon;
  let browser: Browser;
  const complaints: string[] = [];
  const requested = new Set<string>();
  let profile: Awaited<ReturnType<typeof temporaryDirectory>>;

  before(async () => {
    cluster = await startCluster();
    await moduleDatabase(cluster, ["pgq"], "shop");
    await busyQueue(cluster, "shop", hostileName);
    await cluster.query("select pgq.register_consumer($1, $1)", [hostileName], "shop");
    daemon = await monitored(await Configuration.forCluster(cluster), cluster, patient);
    profile = await temporaryDirectory("chromium");
    browser = await chromium.launch({
      executablePath,
      args: browserArguments,
      timeout: 120_000,
      env: {
        ...process.env,
        HOME: profile.path,
        XDG_CONFIG_HOME: profile.path,
        XDG_CACHE_HOME: profile.path,
      },
    });
  });
  after(async () => {
    await browser.close();
    await profile[Symbol.asyncDispose]();
    await daemon[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  async function open(colorScheme: "light" | "dark", width = 1200): Promise<Page> {
    const page = await browser.newPage({ colorScheme, viewport: { width, height: 800 } });
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("dialog", (dialog) => complaints.push(`dialog: ${dialog.message()}`));
    page.on("request", (request) => requested.add(request.url()));
    page.setDefaultTimeout(90_000);
    await page.goto(`${daemon.url}/`);
    await page.getByRole("cell", { name: hostileName, exact: true }).first().waitFor();
    return page;
  }

  /** What the page shows comes to be as expected. It loads itself anew every few seconds: what is read then comes from two
   * pages, or fails. */
  async function shows<T>(expected: T, read: () => Promise<T>): Promise<void> {
    await waitFor("the page", async () => {
      assert.deepEqual(await read(), expected);
      return true;
    });
  }

  it("shows names as they are, loads nothing else, and runs nothing", async () => {
    const page = await open("light");
    await shows(
      { title: "pgqd", cells: 3, scripts: 0, status: "All databases are ticked", databases: 1 },
      async () => ({
        title: await page.title(),
        cells: await page.getByRole("cell", { name: hostileName, exact: true }).count(),
        scripts: await page.locator("script").count(),
        status: (await page.getByRole("status").textContent()) ?? "",
        databases: await page.getByRole("heading", { name: "shop" }).count(),
      }),
    );
    await page.close();
    assert.deepEqual(complaints, []);
    assert.deepEqual(
      [...requested].filter((url) => !url.startsWith("data:")),
      [`${daemon.url}/`],
    );
  });

  it("is readable in light and dark: text stands out by 4.5 to 1 at least", async () => {
    const grounds: string[] = [];
    for (const scheme of ["light", "dark"] as const) {
      const page = await open(scheme);
      const selectors = ["body", ".soft", ".good", "th", "td", "footer"];
      const { ground, colors } = await waitFor("colors", async () => ({
        ground: await styleOf(page, "section", "backgroundColor"),
        colors: await Promise.all(selectors.map((selector) => styleOf(page, selector, "color"))),
      }));
      grounds.push(ground);
      for (const [nr, selector] of selectors.entries()) {
        const color = colors[nr]!;
        const ratio = contrast(color, ground);
        assert.ok(ratio >= 4.5, `${scheme} ${selector}: ${color} on ${ground} is ${ratio.toFixed(1)} to 1`);
      }
      await page.close();
    }
    assert.equal(new Set(grounds).size, 2);
  });

  it("fits a telephone", async () => {
    const page = await open("light", 360);
    const overflow = await waitFor("the width", async () =>
      String(await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")),
    );
    assert.ok(Number(overflow) <= 0, `the page is ${overflow} px too wide`);
    await page.close();
  });

  it("loads itself anew and then tells what is wrong", async () => {
    const page = await open("dark");
    await cluster.stop("fast");
    daemon.setPeriods(impatient);
    await waitFor("the page to tell", async () => {
      const alert = (await page.getByRole("alert").textContent()) ?? "";
      const title = await page.title();
      return title === "! pgqd" && /^Not healthy\s*\[shop\]: not ticked for \d+ s: /.test(alert);
    });
    await page.close();
  });
});

async function styleOf(page: Page, selector: string, property: string): Promise<string> {
  return String(
    await page.evaluate(`getComputedStyle(document.querySelector(${JSON.stringify(selector)})).${property}`),
  );
}

/** Source: WCAG 2.2, contrast ratio */
function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (light! + 0.05) / (dark! + 0.05);
}

function luminance(color: string): number {
  const channels = color.match(/[\d.]+/g)!.slice(0, 3);
  const [red, green, blue] = channels.map((text) => {
    const share = Number(text) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}
