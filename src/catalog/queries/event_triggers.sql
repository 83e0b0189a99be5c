-- Event triggers.
select e.evtname, e.evtevent, e.evtowner, e.evtfoid, e.evtenabled
from pg_catalog.pg_event_trigger as e
order by e.evtname;
