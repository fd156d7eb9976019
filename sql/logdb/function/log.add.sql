-- Adds one record. A message of the form {key: value, key: value} is kept with its figures.
-- Parameters: DEBUG, INFO, WARNING, ERROR or FATAL; name of the job; one line of text.
-- Returns the id of the record.
-- Execute: log_writer
create or replace function log.add(i_level text, i_job_name text, i_message text)
returns bigint
language sql security definer set search_path = pg_catalog, pg_temp as $$
    insert into log.entry (job_name, level, message, figures)
    values (i_job_name, i_level, i_message, log.figures(i_message))
    returning entry_id;
$$;
