-- What the wicked policies refer to.
revoke create on schema public from public;
create schema app;
create schema open;
grant usage on schema app to {role};
grant usage, create on schema open to {role};
set search_path = app, public;

create collation app.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
create collation app.upper_first (provider = icu, locale = 'en-u-kf-upper');
create domain app.one as varchar(1);
create domain app.checked as text check (value <> 'x');
create domain app.number as bigint;
create domain app.loose_text as text collate app.nocase;
create table app.members (user_id text not null, tenant_id text not null);
insert into app.members values ('u', 'xa'), ('u', 'xb');
grant select on app.members to {role};
create table app.inherited (tenant_id text);
create table app.heir () inherits (app.inherited);
insert into app.heir values (null);
grant select on app.inherited to {role};

-- Operators and casts that are not what they look like; one of them among PostgreSQL's own.
create function app.says_yes(uuid, text) returns boolean language plpgsql immutable as $$ begin return true; end $$;
create operator app.= (leftarg = uuid, rightarg = text, function = app.says_yes);
create function app.says_yes(uuid, varchar) returns boolean language plpgsql immutable as $$ begin return true; end $$;
set allow_system_table_mods = on;
create operator pg_catalog.= (leftarg = uuid, rightarg = varchar, function = app.says_yes);
reset allow_system_table_mods;
create type app.secret as enum ('a0000000-0000-4000-8000-000000000001');
create function app.unveil(app.secret) returns uuid language plpgsql immutable
    as $$ begin return 'b0000000-0000-4000-8000-000000000002'; end $$;
create cast (app.secret as uuid) with function app.unveil(app.secret);

create function app.helper_unpinned() returns uuid language sql stable
    as $$ select nullif(current_setting('app.current_tenant', true), '')::uuid $$;
create function app.helper_in_plpgsql() returns uuid language plpgsql stable
    as $$ begin return nullif(current_setting('app.current_tenant', true), '')::uuid; end $$;
create function app.who() returns text language sql stable return nullif(current_setting('app.current_tenant', true), '');
create function app.helper_other_path() returns text language sql stable as $$ select who() $$;
create function app.helper_volatile() returns text language sql volatile
    return coalesce(nullif(current_setting('app.x', true), ''), nullif(current_setting('app.current_tenant', true), ''));
create function app.helper_immutable() returns text language plpgsql immutable
    as $$ begin return nullif(current_setting('app.current_tenant', true), ''); end $$;
create function app.helper_strict(who text) returns text language sql stable strict return who;
create function app.is_a(text) returns boolean language sql immutable return $1 = 'xa';
create function app.helper_is_a(text) returns boolean language sql immutable return $1 = 'xa';

-- What changes the setting while rows are being judged.
create function app.noisy() returns boolean language plpgsql cost 0.0001
    as $$ begin perform set_config('app.current_tenant', 'xb', false); return true; end $$;
create function app.noisy_in_pieces() returns boolean language plpgsql cost 0.0001
    as $$ begin perform query_to_xml('select set' || '_config(''app.current_tenant'', ''xb'', false)', true, true, '');
          return true; end $$;
create function app.noisy_step(state int, value int) returns int language plpgsql
    as $$ begin perform set_config('app.current_tenant', 'xb', false); return 1; end $$;
create aggregate app.noisy_sum(int) (sfunc = app.noisy_step, stype = int, initcond = '0');
create function app.calls_noisy_sum() returns int language sql as $$ select app.noisy_sum(1) $$;
alter function app.calls_noisy_sum() cost 0.0001;
create view app.noisy_view as select app.noisy() as is_noisy;
grant select on app.noisy_view to {role};
create function app.reads_noisy_view() returns boolean language plpgsql cost 0.0001
    as $$ begin return (select is_noisy from app.noisy_view); end $$;
create function app.noisy_cast(app.secret) returns boolean language plpgsql
    as $$ begin return app.noisy(); end $$;
create cast (app.secret as boolean) with function app.noisy_cast(app.secret);
create function app.casts_noisily() returns boolean language plpgsql cost 0.0001
    as $$ begin return 'a0000000-0000-4000-8000-000000000001'::app.secret::boolean; end $$;
