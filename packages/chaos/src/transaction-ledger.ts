import { existsSync, readFileSync } from "node:fs";
import { ledger } from "./chaos-tables.ts";

interface LostEvent {
  readonly ev_type: string;
  readonly ev_data: string;
  readonly ev_extra1: string | null;
}

interface LedgerRow {
  readonly writer: number;
  readonly nr: number;
}

/** What the applications know of their transactions. */
export class TransactionLedger {
  /** Committed for certain. */
  readonly accepted = new Set<string>();
  /** Failed, perhaps after the commit. */
  readonly uncertain = new Set<string>();
  /** Only a dead root had them; `resurrect` has written them into a file. */
  readonly setAside = new Set<string>();
  #nextNr = 1;

  /** Numbers a transaction, which is uncertain until it is accepted. */
  begin(writer: number): LedgerRow {
    const transaction = { writer, nr: this.#nextNr };
    this.#nextNr += 1;
    this.uncertain.add(ledgerKey(transaction));
    return transaction;
  }

  accept(transaction: LedgerRow): void {
    this.uncertain.delete(ledgerKey(transaction));
    this.accepted.add(ledgerKey(transaction));
  }

  /** @param path a file of lost events; there is none when nothing was lost */
  setAsideFrom(path: string): void {
    if (!existsSync(path)) return;
    const events = JSON.parse(readFileSync(path, "utf8")) as LostEvent[];
    for (const { ev_type, ev_data, ev_extra1 } of events) {
      if (ev_extra1 !== ledger.name || !ev_type.includes('"INSERT"')) continue;
      this.setAside.add(ledgerKey(JSON.parse(ev_data) as LedgerRow));
    }
  }
}

export function ledgerKey({ writer, nr }: LedgerRow): string {
  return `${writer}/${nr}`;
}
