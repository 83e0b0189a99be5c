-- Row-security policies: as text for people, and as the stored tree for proofs.
select
    p.oid,
    p.polrelid,
    p.polname,
    p.polcmd,
    p.polpermissive,
    p.polroles,
    pg_catalog.pg_get_expr(p.polqual, p.polrelid),
    pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid),
    p.polqual::pg_catalog.text,
    p.polwithcheck::pg_catalog.text
from pg_catalog.pg_policy as p
order by p.polrelid, p.polname;
