-- Whether the name of a partition says that it is older than the retention period.
--
-- Parameters:
--   i_partition_table  - raw or quoted name, with or without schema
--   i_partition_period - year, month, day, hour, or yearly and so on
-- Returns: null when the name does not end as partitions of that period do
-- Raises: not supported i_partition_period
-- Execute: londiste_writer
create or replace function londiste.is_obsolete_partition(
    i_partition_table text,
    i_retention_period interval,
    i_partition_period text)
returns boolean as $$
declare
    _suffix record;
begin
    select * into _suffix from londiste._partition_suffix(i_partition_period);
    return substring(rtrim(i_partition_table, '"'), _suffix.pattern) collate "C"
        < to_char(now() - i_retention_period, _suffix.format);
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;

-- How the names of partitions end: as format of to_char and as regular expression.
create or replace function londiste._partition_suffix(
    in i_partition_period text,
    out format text,
    out pattern text)
returns record as $$
begin
    format := case
        when i_partition_period in ('year', 'yearly') then '_YYYY'
        when i_partition_period in ('month', 'monthly') then '_YYYY_MM'
        when i_partition_period in ('day', 'daily') then '_YYYY_MM_DD'
        when i_partition_period in ('hour', 'hourly') then '_YYYY_MM_DD_HH24' end;
    if format is null then
        raise exception 'not supported i_partition_period: %', i_partition_period;
    end if;
    pattern := replace(regexp_replace(format, 'MM|DD|HH24', '\d{2}', 'g'), 'YYYY', '\d{4}') || '$';
end;
$$ language plpgsql immutable set search_path = pg_catalog, pg_temp;
