const secrets: readonly [RegExp, string][] = [
  [
    /((?:password|scram_(?:client|server)_key|oauth_client_secret)\s*=\s*)(?:'[^'\\]*(?:\\.[^'\\]*)*'?|[^\s'"&]+)/gi,
    "$1[...]",
  ],
  [/(password\s+)'[^']*(?:''[^']*)*'?/gi, "$1[...]"],
  [/(:\/\/[^\s/:@]*:)[^\s/@]+@/g, "$1[...]@"],
];

/** Hides what looks like a password in text that goes to a log: connect strings, URIs, statements about roles. */
export function redactSecrets(text: string): string {
  return secrets.reduce((shown, [pattern, replacement]) => shown.replace(pattern, replacement), text);
}
