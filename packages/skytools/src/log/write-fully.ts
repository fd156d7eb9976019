import { writeSync } from "node:fs";

const patienceMs = 1000;
const pause = new Int32Array(new SharedArrayBuffer(4));

/** Writes text to a descriptor before returning. A pipe that is full and does not block is waited for, at most a second;
 * what a closed or stuck reader does not take is dropped, because a log must not end the program. */
export function writeFully(descriptor: number, text: string): void {
  let rest = Buffer.from(text);
  const deadline = performance.now() + patienceMs;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN" || performance.now() > deadline) return;
      Atomics.wait(pause, 0, 0, 5);
    }
  }
}
