-- Changes one setting of a queue; the name comes without its queue_ prefix, the value as text. Returns 1.
-- Errors: Invalid NULL value; No such event queue; cannot change parameter; the server's own for a wrong value.
-- Execute: pgq_admin
create or replace function pgq.set_queue_config(x_queue_name text, x_param_name text, x_param_value text)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if x_queue_name is null or x_param_name is null then
        raise exception 'Invalid NULL value';
    end if;
    perform from pgq.queue q where q.queue_name = x_queue_name;
    if not found then
        raise exception 'No such event queue';
    end if;
    if x_param_name not in ('ticker_max_count', 'ticker_max_lag', 'ticker_idle_period', 'ticker_paused',
                            'rotation_period', 'external_ticker', 'retry_limit', 'retry_delay')
    then
        -- The s after the name is part of the historic text.
        raise exception 'cannot change parameter "%s"', x_param_name;
    end if;
    if x_param_value is null then
        raise exception 'parameter "%" cannot be NULL', x_param_name;
    end if;
    execute format('update pgq.queue set %I = %L where queue_name = $1', 'queue_' || x_param_name, x_param_value)
      using x_queue_name;
    return 1;
end;
$$;
