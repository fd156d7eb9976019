-- Records that a script is being run here. Script, record and execute_finish belong into one transaction.
--
-- Parameters:
--   i_file_name   - identity of the script, for all queues of the database
--   i_expect_root - true where scripts start, false where they are replayed
--   i_attrs       - urlencoded dictionary
-- Returns:
--   200 - run it
--   201 - ran before, skip it
--   401 - not the root although expected
-- Raises: queue does not exist
-- Locks: the key; a second transaction with the same script waits for the first
-- Calls: pgq_node.is_root_node
-- Execute: londiste_writer
create or replace function londiste.execute_start(
    in i_queue_name text,
    in i_file_name text,
    in i_sql text,
    in i_expect_root boolean,
    in i_attrs text,
    out ret_code int4,
    out ret_note text)
returns record as $$
begin
    if not pgq_node.is_root_node(i_queue_name) and i_expect_root then
        select 401, 'Node is not root node: ' || i_queue_name into ret_code, ret_note;
        return;
    end if;

    insert into londiste.applied_execute (queue_name, execute_file, execute_sql, execute_attrs)
        values (i_queue_name, i_file_name, i_sql, i_attrs)
        on conflict (execute_file) do nothing;
    if not found then
        select 201, 'EXECUTE: "' || i_file_name || '" already applied, skipping' into ret_code, ret_note;
        return;
    end if;
    select 200, 'Executing: ' || i_file_name into ret_code, ret_note;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;

create or replace function londiste.execute_start(
    in i_queue_name text,
    in i_file_name text,
    in i_sql text,
    in i_expect_root boolean,
    out ret_code int4,
    out ret_note text)
returns record as $$
begin
    select f.ret_code, f.ret_note into ret_code, ret_note
        from londiste.execute_start(i_queue_name, i_file_name, i_sql, i_expect_root, null) f;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
