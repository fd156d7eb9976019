/** What the applications know of their transactions. */
export class TransactionLedger {
  /** Committed for certain. */
  readonly accepted = new Set<string>();
  /** Failed, perhaps after the commit. */
  readonly uncertain = new Set<string>();
  #nextNr = 1;

  /** Numbers a transaction, which is uncertain until it is accepted. */
  begin(writer: number): { readonly writer: number; readonly nr: number } {
    const transaction = { writer, nr: this.#nextNr };
    this.#nextNr += 1;
    this.uncertain.add(ledgerKey(transaction));
    return transaction;
  }

  accept(transaction: { readonly writer: number; readonly nr: number }): void {
    this.uncertain.delete(ledgerKey(transaction));
    this.accepted.add(ledgerKey(transaction));
  }
}

export function ledgerKey({ writer, nr }: { readonly writer: number; readonly nr: number }): string {
  return `${writer}/${nr}`;
}
