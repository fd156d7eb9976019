/** One thing of a schema that programs or people can depend on. */
export interface SurfaceObject {
  readonly kind: SurfaceKind;
  /** within its kind; everything qualified: `pgq.create_queue(text)`, `pgq.queue.queue_name`, `execute on function pgq.version() to public` */
  readonly name: string;
  /** what it is like; a grant has nothing but its name */
  readonly attributes: Readonly<Record<string, string>>;
}

export type SurfaceKind =
  | "role"
  | "membership"
  | "schema"
  | "type"
  | "table"
  | "view"
  | "sequence"
  | "column"
  | "constraint"
  | "index"
  | "trigger"
  | "function"
  | "grant";
