-- Gives a partition the rules of its parent, enabled alike.
--
-- Raises: failed to find original table name
-- Calls: londiste._retarget, londiste._set_mode
-- Execute: londiste_writer
create or replace function londiste._copy_rules(i_parent oid, i_part oid)
returns void as $$
declare
    _rule record;
    _definition text;
begin
    for _rule in
        select r.oid, r.rulename, r.ev_enabled
        from pg_rewrite r
        where r.ev_class = i_parent and r.rulename <> '_RETURN'
        order by r.rulename
    loop
        _definition := londiste._retarget(pg_get_ruledef(_rule.oid),
            '^CREATE RULE ', quote_ident(_rule.rulename), ' TO ', i_parent, i_part);
        if _definition is null then
            raise exception 'failed to find original table name in rule %', _rule.rulename;
        end if;
        execute _definition;
        perform londiste._set_mode(i_part, 'rule', _rule.rulename, _rule.ev_enabled);
    end loop;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
