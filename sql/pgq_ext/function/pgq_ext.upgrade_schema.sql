-- Brings tables of earlier releases up to date; those of 3.0 know no subconsumers. Returns the number of changes.
-- Execute: pgq_writer
create or replace function pgq_ext.upgrade_schema()
returns integer
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    _table record;
    _changes integer := 0;
begin
    for _table in
        select t.name, t.key, ('pgq_ext.' || t.name)::pg_catalog.regclass as id
          from (values ('completed_tick', 'consumer_id, subconsumer_id'),
                       ('completed_batch', 'consumer_id, subconsumer_id'),
                       ('completed_event', 'consumer_id, subconsumer_id, batch_id, event_id'),
                       ('partial_batch', 'consumer_id, subconsumer_id')) t (name, key)
    loop
        if not exists (select from pg_catalog.pg_attribute a
                        where a.attrelid = _table.id and a.attname = 'subconsumer_id' and not a.attisdropped)
        then
            execute pg_catalog.format(
                'alter table pgq_ext.%1$I add column subconsumer_id text not null default '''','
                ' drop constraint %2$I, add constraint %2$I primary key (%3$s)',
                _table.name, _table.name || '_pkey', _table.key);
            execute pg_catalog.format('alter table pgq_ext.%I alter column subconsumer_id drop default', _table.name);
            _changes := _changes + 1;
        end if;
        if exists (select from pg_catalog.pg_attribute a
                    where a.attrelid = _table.id and a.attname = 'subconsumer_id' and not a.atthasdef)
        then
            execute pg_catalog.format('alter table pgq_ext.%I alter column subconsumer_id set default ''''', _table.name);
            _changes := _changes + 1;
        end if;
    end loop;
    return _changes;
end;
$$;
