"""Usage: idle_consumer.py CONFIG - a consumer on the original library that does nothing with its events."""

import sys

import pgq


class IdleConsumer(pgq.Consumer):
    def process_event(self, db, event):
        pass


IdleConsumer("idle_consumer", "src_db", sys.argv[1:]).start()
