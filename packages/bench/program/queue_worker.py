"""Usage: queue_worker.py CONFIG - the original cascaded worker on a node without data of its own."""

import sys

import pgq.cascade.worker


class QueueWorker(pgq.cascade.worker.CascadedWorker):
    def process_remote_event(self, src_curs, dst_curs, event):
        if event.ev_type.startswith("pgq."):
            super().process_remote_event(src_curs, dst_curs, event)


QueueWorker("queue_worker", "node_db", sys.argv[1:]).start()
