/** A running replica of the workload's tables, by whichever means. */
export interface Replica extends AsyncDisposable {
  readonly name: string;
  readonly sourceConnstr: string;
  readonly targetConnstr: string;
  /** Stops applying; what is written meanwhile waits on the source. */
  hold(): Promise<void>;
  /** Everything committed so far may be fetched: makes the batch border that the means needs, if any. */
  seal(): Promise<void>;
  /** Lets applying go on. */
  release(): Promise<void>;
  /** Largest resident memory of the replaying process so far, in MB; undefined where it lives in the server. */
  peakMemoryMb(): number | undefined;
}
