"""Records events in the table public.recorded, through the transaction that it is given."""


def record(curs, job_name, batch_id, event):
    curs.execute(
        "insert into public.recorded (job, batch, ev_id, ev_retry, ev_type, ev_data, ev_extra1)"
        " values (%s, %s, %s, %s, %s, %s, %s)",
        [job_name, batch_id, event.ev_id, event.ev_retry, event.ev_type, event.ev_data, event.ev_extra1],
    )


class RecordingConsumer:
    """For a pgq.Consumer: what is recorded commits together with the batch. Events whose data begins with "again" are
    recorded and put off, once."""

    def process_batch(self, db, batch_id, event_list):
        curs = db.cursor()
        for event in event_list:
            record(curs, self.job_name, batch_id, event)
            if event.ev_data.startswith("again") and event.ev_retry is None:
                event.tag_retry(0)


class RecordingRemoteConsumer:
    """For a pgq.RemoteConsumer or pgq.SerialConsumer: records in the target database."""

    def process_remote_batch(self, db, batch_id, event_list, dst_db):
        curs = dst_db.cursor()
        for event in event_list:
            record(curs, self.job_name, batch_id, event)
