"""Usage: producer.py CONNSTR QUEUE COUNT - inserts COUNT events one by one and as many in bulk, in one transaction."""

import datetime
import sys

import pgq
import skytools

connstr, queue, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
db = skytools.connect_database(connstr)
curs = db.cursor()
for number in range(1, count + 1):
    pgq.insert_event(curs, queue, "single", "single %d" % number, "e1", None, "", "e\t4")
now = datetime.datetime.now(datetime.timezone.utc).isoformat()
rows = [[now, "bulk", "bulk %d" % number, "e1", None, "", "e\t4\\"] for number in range(1, count + 1)]
pgq.bulk_insert_events(curs, rows, ["time", "type", "data", "extra1", "extra2", "extra3", "extra4"], queue)
db.commit()
