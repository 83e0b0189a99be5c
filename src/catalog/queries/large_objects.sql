-- Large objects by owner and grants: they have no row security.
select
    l.lomowner,
    coalesce(l.lomacl, pg_catalog.acldefault('L', l.lomowner))::pg_catalog.text[],
    pg_catalog.count(*)
from pg_catalog.pg_largeobject_metadata as l
group by 1, 2
order by 1, 2;
