-- Table grants. Those of the functions stand in the functions' files.
grant usage on schema pgq to public;

revoke all on pgq.consumer, pgq.queue, pgq.tick, pgq.subscription, pgq.event_template, pgq.retry_queue,
    pgq.failed_queue, pgq.hidden_event
    from public, pgq_reader, pgq_writer, pgq_admin;

grant select on pgq.consumer, pgq.queue, pgq.tick, pgq.subscription to public;
grant select on pgq.consumer, pgq.queue, pgq.tick, pgq.subscription to pgq_reader;
grant select, insert, update, delete on pgq.consumer, pgq.queue, pgq.tick, pgq.subscription to pgq_admin;

grant select on pgq.event_template to pgq_reader;
grant select on pgq.hidden_event to pgq_reader;
grant select, insert, truncate on pgq.event_template to pgq_admin;

grant select, insert, update, delete on pgq.retry_queue, pgq.failed_queue, pgq.hidden_event to pgq_admin;
