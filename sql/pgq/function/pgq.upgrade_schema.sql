-- Brings roles and tables of earlier releases up to date. Safe to repeat. Returns 0.
-- Execute: pgq_admin
create or replace function pgq.upgrade_schema()
returns integer
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    _role text;
begin
    foreach _role in array '{pgq_reader,pgq_writer,pgq_admin}'::text[]
    loop
        perform pgq._ensure_role(_role);
    end loop;
    foreach _role in array '{pgq_reader,pgq_writer}'::text[]
    loop
        perform pgq._ensure_membership(_role, 'pgq_admin');
    end loop;

    if exists (select from pg_catalog.pg_attribute a
                where a.attrelid = 'pgq.subscription'::pg_catalog.regclass
                  and a.attname = 'sub_last_tick' and a.attnotnull)
    then
        alter table pgq.subscription alter column sub_last_tick drop not null;
    end if;
    if not exists (select from pg_catalog.pg_attribute a
                    where a.attrelid = 'pgq.queue'::pg_catalog.regclass
                      and a.attname = 'queue_extra_maint' and not a.attisdropped)
    then
        alter table pgq.queue add column queue_extra_maint text[];
    end if;
    if not exists (select from pg_catalog.pg_attribute a
                    where a.attrelid = 'pgq.queue'::pg_catalog.regclass
                      and a.attname = 'queue_retry_limit' and not a.attisdropped)
    then
        alter table pgq.queue
            add column queue_retry_limit integer,
            add column queue_retry_delay interval not null default '10 seconds';
    end if;
    if (select i.indnkeyatts from pg_catalog.pg_index i
         where i.indrelid = 'pgq.subscription'::pg_catalog.regclass and i.indisprimary) < 3
    then
        alter table pgq.subscription
            drop constraint subscription_pkey,
            add constraint subscription_pkey primary key (sub_queue, sub_consumer, sub_active);
    end if;

    -- Ticks of release 2.1 know no event number: the highest one of today makes the next tick one of an idle queue.
    if not (select a.attnotnull from pg_catalog.pg_attribute a
             where a.attrelid = 'pgq.tick'::pg_catalog.regclass and a.attname = 'tick_event_seq')
    then
        update pgq.tick t set tick_event_seq = pgq.seq_getval(q.queue_event_seq)
          from pgq.queue q
         where q.queue_id = t.tick_queue and t.tick_event_seq is null;
        alter table pgq.tick alter column tick_event_seq set not null;
    end if;

    -- A logical restore of the extension form leaves the sequences at their start.
    perform pgq._raise_serial('pgq.queue_queue_id_seq', (select pg_catalog.max(q.queue_id) from pgq.queue q));
    perform pgq._raise_serial('pgq.consumer_co_id_seq', (select pg_catalog.max(c.co_id) from pgq.consumer c));
    perform pgq._raise_serial('pgq.subscription_sub_id_seq', (select pg_catalog.max(s.sub_id) from pgq.subscription s));
    return 0;
end;
$$;

-- Creates a role without login unless it exists. Roles belong to the cluster: an installation in another database may
-- create the same one at the same moment.
-- Execute: none
create or replace function pgq._ensure_role(i_role text)
returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from pg_catalog.pg_roles r where r.rolname = i_role) then
        return;
    end if;
    execute pg_catalog.format('create role %I nologin', i_role);
exception
    when duplicate_object or unique_violation then
        return;
    when insufficient_privilege then
        raise exception 'role % does not exist, and % may not create it', i_role, current_user
            using errcode = 'insufficient_privilege',
                  hint = pg_catalog.format('Let an administrator run: create role %I nologin;', i_role);
end;
$$;

-- Makes one role a member of another unless it is.
-- Execute: none
create or replace function pgq._ensure_membership(i_role text, i_member text)
returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if pg_catalog.pg_has_role(i_member, i_role, 'member') then
        return;
    end if;
    execute pg_catalog.format('grant %I to %I', i_role, i_member);
exception
    when unique_violation then
        return;
    when insufficient_privilege then
        raise exception 'role % must be a member of %, and % may not grant that', i_member, i_role, current_user
            using errcode = 'insufficient_privilege',
                  hint = pg_catalog.format('Let an administrator run: grant %I to %I;', i_role, i_member);
end;
$$;

-- Raises the sequence behind a serial column to the column's highest value.
-- Execute: none
create or replace function pgq._raise_serial(i_seq_name text, i_highest bigint)
returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if i_highest >= pgq.seq_getval(i_seq_name) then
        perform pg_catalog.setval(i_seq_name::pg_catalog.regclass, i_highest);
    end if;
end;
$$;
