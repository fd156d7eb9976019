-- Reads the trigger arguments of a registration.
--
-- Parameters:
--   i_trg_args - registration tokens (left out here), skip, tgflags=<letters>, and arguments for the trigger function
-- Returns: one row
--   is_wanted  - false with no_triggers or virtual_table
--   timing     - before or after
--   events     - insert or update or delete, as in CREATE TRIGGER
--   format     - L, Q or J as given; null when the flags name none
--   is_skip    - swallow the row operation
--   arguments  - for the trigger function
-- Execute: londiste_writer
create or replace function londiste._trigger_plan(
    in i_trg_args text[],
    out is_wanted boolean,
    out timing text,
    out events text,
    out format text,
    out is_skip boolean,
    out arguments text[])
returns record as $$
declare
    _argument text;
    _flags text := '';
begin
    is_wanted := not coalesce(i_trg_args && array['no_triggers', 'virtual_table'], false);
    is_skip := false;
    arguments := '{}';
    foreach _argument in array coalesce(i_trg_args, '{}') loop
        if _argument in ('no_triggers', 'virtual_table', 'expect_sync', 'skip_truncate', 'merge_all', 'no_merge') then
            continue;
        elsif lower(_argument) = 'skip' then
            is_skip := true;
        elsif _argument like 'tgflags=%' then
            _flags := _flags || upper(substr(_argument, 9));
        else
            arguments := arguments || _argument;
        end if;
    end loop;

    is_skip := is_skip or _flags like '%S%';
    timing := case when _flags like '%B%' and _flags not like '%A%' then 'before' else 'after' end;
    format := substring(_flags, 'J');
    format := coalesce(format, substring(_flags, 'L'), substring(_flags, 'Q'));
    if _flags !~ '[IUD]' then
        _flags := 'IUD';
    end if;
    events := concat_ws(' or ',
        case when _flags like '%I%' then 'insert' end,
        case when _flags like '%U%' then 'update' end,
        case when _flags like '%D%' then 'delete' end);
end;
$$ language plpgsql stable set search_path = pg_catalog, pg_temp;
