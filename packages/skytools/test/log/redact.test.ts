import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { redactSecrets } from "#src/log/redact.js";

for (const [text, expected] of [
  ["host=h password=secret user=u", "host=h password=[...] user=u"],
  ["password = 's e\\'c' user=u", "password = [...] user=u"],
  ["PASSWORD=x", "PASSWORD=[...]"],
  ["scram_client_key=x oauth_client_secret='y z'", "scram_client_key=[...] oauth_client_secret=[...]"],
  ["postgresql://u:secret@h/db?sslpassword=p&x=1", "postgresql://u:[...]@h/db?sslpassword=[...]&x=1"],
  ["alter role r password 'it''s'", "alter role r password [...]"],
  ['password authentication failed for user "u"', 'password authentication failed for user "u"'],
  ["http://host:80/x no secret", "http://host:80/x no secret"],
] as const) {
  test(`"${text}" is shown as "${expected}"`, () => assert.equal(redactSecrets(text), expected));
}

test("text that begins like a secret again and again takes no longer than other text of its length", () => {
  for (const piece of [
    "scram_",
    "password ",
    "password=",
    "password='",
    "oauth_client_secret",
    "://a:",
    "://",
    "' password '",
  ]) {
    const text = piece.repeat(1_000_000 / piece.length);
    const begin = performance.now();
    redactSecrets(text);
    assert.ok(performance.now() - begin < 10_000, piece);
  }
});

test("a password in a connect string never survives (property)", () => {
  const password = fc.stringMatching(/^[A-Z][A-Za-z0-9 \\']{5,20}$/);
  fc.assert(
    fc.property(password, (secret) => {
      const quoted = `'${secret.replace(/[\\']/g, (char) => `\\${char}`)}'`;
      const shown = redactSecrets(`cannot use host=h password=${quoted} dbname=d`);
      assert.equal(shown, "cannot use host=h password=[...] dbname=d");
    }),
  );
});

test("a quoted password of megabytes is hidden", () => {
  const long = "x".repeat(10_000_000);
  assert.equal(redactSecrets(`password='${long}' a`), "password=[...] a");
  assert.equal(redactSecrets(`alter role r password '${long}';`), "alter role r password [...];");
});
