-- Rewrite rules but those that make a view a view.
select
    r.oid,
    r.ev_class,
    r.rulename,
    r.ev_type,
    r.is_instead,
    r.ev_enabled,
    pg_catalog.pg_get_ruledef(r.oid)
from pg_catalog.pg_rewrite as r
where r.oid >= 16384
    and r.rulename <> '_RETURN'
order by r.ev_class, r.rulename;
