-- Records that a consumer puts events of a batch off for a_retry_seconds[n], or, where that is NULL, gives them up for
-- a_reasons[n], until the queue is told. Call it in the transaction that applies the batch. Tags of the consumer's other
-- batches are forgotten; of two tags of an event the last counts. Returns how many events are tagged now.
-- Execute: pgq_writer
create or replace function pgq_ext.tag_events(a_consumer text, a_batch_id bigint, a_event_ids bigint[],
    a_retry_seconds integer[], a_reasons text[])
returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    delete from pgq_ext.event_tag t where t.consumer_id = a_consumer and t.batch_id <> a_batch_id;
    insert into pgq_ext.event_tag (consumer_id, batch_id, event_id, retry_seconds, failed_reason)
    select distinct on (w.id) a_consumer, a_batch_id, w.id, w.seconds, w.reason
      from unnest(a_event_ids, a_retry_seconds, a_reasons) with ordinality w (id, seconds, reason, nr)
     order by w.id, w.nr desc
        on conflict (consumer_id, batch_id, event_id)
        do update set retry_seconds = excluded.retry_seconds, failed_reason = excluded.failed_reason;
    return (select count(*) from pgq_ext.event_tag t where t.consumer_id = a_consumer and t.batch_id = a_batch_id);
end;
$$;
