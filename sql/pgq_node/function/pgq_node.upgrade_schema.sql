-- Brings the tables of an earlier release to the current shape.
--
-- Returns: number of changes made
-- Execute: pgq_admin
create or replace function pgq_node.upgrade_schema()
returns int4 as $$
declare
    _changes int4 := 0;
begin
    perform 1 from pg_attribute a
        where a.attrelid = 'pgq_node.node_info'::regclass
          and a.attname = 'node_attrs' and not a.attisdropped;
    if not found then
        alter table pgq_node.node_info add column node_attrs text;
        _changes := _changes + 1;
    end if;
    perform 1 from pg_attribute a
        where a.attrelid = 'pgq_node.local_state'::regclass
          and a.attname = 'known_tick_time' and not a.attisdropped;
    if not found then
        alter table pgq_node.local_state add column known_tick_id bigint, add column known_tick_time timestamptz;
        _changes := _changes + 1;
    end if;
    return _changes;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
