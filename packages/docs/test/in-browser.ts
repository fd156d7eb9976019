import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { type TemporaryDirectory, temporaryDirectory } from "@skytools/testbed";
import { type Browser, chromium, type Page } from "playwright-core";

const executablePath = process.env.SKYTOOLS_CHROMIUM ?? "/usr/bin/chromium";
const skip = existsSync(executablePath)
  ? false
  : "no chromium: install it with .ci/install-chromium, or name it in SKYTOOLS_CHROMIUM";

/** Tests what a browser makes of the web pages.
 * @param site their folder, once it is built */
export function describeInBrowser(site: () => string): void {
  describe("in a browser", { skip }, () => inBrowser(site));
}

function inBrowser(site: () => string): void {
  let profile: TemporaryDirectory;
  let browser: Browser;
  const complaints: string[] = [];

  before(async () => {
    profile = await temporaryDirectory("chromium");
    browser = await chromium.launch({
      executablePath,
      timeout: 120_000,
      // No sandbox: it refuses root. The others keep the browser from calling its maker's servers.
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
      env: { ...process.env, HOME: profile.path },
    });
  });
  after(async () => {
    await browser.close();
    await profile[Symbol.asyncDispose]();
  });

  async function open(path: string, width = 1200): Promise<Page> {
    const page = await browser.newPage({ viewport: { width, height: 800 } });
    page.setDefaultTimeout(90_000);
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("requestfailed", (request) => complaints.push(request.url()));
    await page.goto(pathToFileURL(join(site(), path)).href);
    return page;
  }

  it("shows the start page with its drawing, and its links lead to pages", async () => {
    const page = await open("index.html");
    assert.equal(await page.title(), "Skytools for Node - Skytools for Node");
    assert.ok(await page.evaluate("document.images[0].naturalWidth > 0"));
    await page.locator("main").getByRole("link", { name: "The first replica" }).click();
    await page.getByRole("heading", { level: 1, name: "The first replica", exact: true }).waitFor();
    // A page closed while it loads would complain about what it has not got.
    await page.waitForLoadState("load");
    await page.close();
    assert.deepEqual(complaints, []);
  });

  it("is as wide as the window, also on a telephone", async () => {
    for (const path of ["index.html", "reference/config.html", "howto/night.html"]) {
      const page = await open(path, 390);
      const overhang = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth",
      );
      assert.equal(overhang, 0, path);
      await page.close();
    }
    assert.deepEqual(complaints, []);
  });

  it("follows the colours that the reader wants", async () => {
    const page = await open("index.html");
    const background = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
    await page.emulateMedia({ colorScheme: "light" });
    const light = await background();
    await page.emulateMedia({ colorScheme: "dark" });
    assert.notEqual(await background(), light);
    await page.close();
  });
}
