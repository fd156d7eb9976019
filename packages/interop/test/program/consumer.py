"""Usage: consumer.py KIND [switches] CONFIG - an original consumer that records its events."""

import sys

import pgq
from recording import RecordingConsumer, RecordingRemoteConsumer


class Plain(RecordingConsumer, pgq.Consumer):
    pass


class Coop(RecordingConsumer, pgq.CoopConsumer):
    pass


class Remote(RecordingRemoteConsumer, pgq.RemoteConsumer):
    pass


class Serial(RecordingRemoteConsumer, pgq.SerialConsumer):
    pass


class Local(pgq.LocalConsumer):
    def process_local_event(self, db, batch_id, event):
        print(event.ev_data, flush=True)


kind = sys.argv[1]
arguments = sys.argv[2:]
if kind in ("remote", "serial"):
    program = {"remote": Remote, "serial": Serial}[kind](kind, "src_db", "dst_db", arguments)
else:
    program = {"plain": Plain, "coop": Coop, "local": Local}[kind](kind, "src_db", arguments)
program.start()
