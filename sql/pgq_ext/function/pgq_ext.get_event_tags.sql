-- What a consumer has recorded about events of a batch with pgq_ext.tag_events: the first a_limit events behind
-- a_after_event, by id.
-- Execute: pgq_writer
create or replace function pgq_ext.get_event_tags(a_consumer text, a_batch_id bigint, a_after_event bigint, a_limit integer,
    out event_id bigint, out retry_seconds integer, out failed_reason text)
returns setof record
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return query
        select t.event_id, t.retry_seconds, t.failed_reason
          from pgq_ext.event_tag t
         where t.consumer_id = a_consumer and t.batch_id = a_batch_id and t.event_id > a_after_event
         order by t.event_id
         limit a_limit;
end;
$$;
