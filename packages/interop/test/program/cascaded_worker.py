"""Usage: cascaded_worker.py CONFIG - the original worker of a node, which keeps no data of its own."""

import sys

import pgq.cascade.worker


class QueueWorker(pgq.cascade.worker.CascadedWorker):
    def process_remote_event(self, src_curs, dst_curs, event):
        if event.ev_type.startswith("pgq."):
            super().process_remote_event(src_curs, dst_curs, event)

    def connection_hook(self, dbname, conn):
        if dbname == "node_db":
            conn.cursor().execute("set session_replication_role = replica")
            conn.commit()


QueueWorker("queue_worker", "node_db", sys.argv[1:]).start()
