/** SQL that creates a queue that ticks as fast as it is asked to, and whose tables rotate all the time.
 * @param queue a plain name */
export function hasteOf(queue: string): string {
  return `select pgq.create_queue('${queue}'); ${fastQueue(queue)}`;
}

/** The same for a queue that is there. */
export function fastQueue(queue: string): string {
  return `select pgq.set_queue_config('${queue}', 'ticker_max_lag', '500 milliseconds'),
    pgq.set_queue_config('${queue}', 'ticker_idle_period', '1 second'),
    pgq.set_queue_config('${queue}', 'rotation_period', '2 seconds')`;
}

/** Of a root, whose worker applies nothing, what it moves is the position of the slowest node.
 * @param queue a plain name */
export function globalWatermark(queue: string): string {
  return `select last_tick from pgq.get_consumer_info('${queue}', '.global_watermark')`;
}
