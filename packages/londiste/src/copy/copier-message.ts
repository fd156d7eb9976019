/** What the worker tells its copier. */
export type CopierOrder =
  | { readonly kind: "begin"; readonly table: string }
  /** something that the table's copy waits for may be there */
  | { readonly kind: "look"; readonly table: string }
  /** the table's copy is not wanted any more: give it up where it is */
  | { readonly kind: "end"; readonly table: string };

/** What the copier tells. */
export type CopierNews =
  /** the rows are there, the table's state has moved on */
  | { readonly kind: "copied"; readonly table: string }
  /** nothing more is done for the table. `failure` says why it did not come to its end; undefined: it did, or the table is gone */
  | { readonly kind: "ended"; readonly table: string; readonly failure?: string };
