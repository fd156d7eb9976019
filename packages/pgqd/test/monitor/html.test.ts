import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { html } from "#src/monitor/html.js";

it("whatever is put into the template stays text, inside of tags and of attributes", () => {
  fc.assert(
    fc.property(fc.string(), (value) => {
      const { text } = html`<p title="${value}">${value}</p>`;
      const [, attribute, content] = /^<p title="([^"<>']*)">([^<>]*)<\/p>$/s.exec(text) ?? [];
      assert.deepEqual([readBack(attribute), readBack(content)], [value, value]);
    }),
  );
});

it("pieces that are HTML already are not escaped again", () => {
  assert.equal(
    html`<ul>${["a", "<b>"].map((item) => html`<li>${item}</li>`)}</ul>`.text,
    "<ul><li>a</li><li>&lt;b&gt;</li></ul>",
  );
});

function readBack(text = ""): string {
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");
}
