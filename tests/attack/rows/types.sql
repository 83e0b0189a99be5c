-- One NOT NULL column of every type, so that a value has to be made for each.
create type colour as enum ('red', 'green');
create type address as (street text, zip varchar(5), paint colour);
create domain email as text check (value ~ '^[^@ ]+@[^@ ]+\.[a-z]{2,}$');
create domain percent as numeric(5, 2) not null check (value between 0 and 100);
create domain code as email check (length(value) < 60);
create type span as range (subtype = float8, multirange_type_name = span_multi);
create table kinds (
    id bigint generated always as identity primary key,
    tenant_id uuid not null,
    a bool not null, b smallint not null, c int not null, d bigint not null, e numeric(4, 1) not null, f real not null,
    g float8 not null, h money not null, i text not null, j varchar(3) not null, k char(2) not null, l name not null,
    m bytea not null, n uuid not null, o date not null, p timestamp not null, q timestamptz(3) not null, r time not null,
    s timetz not null, t interval not null, u json not null, v jsonb not null, w inet not null, x cidr not null,
    y macaddr not null, z macaddr8 not null, aa bit(3) not null, ab varbit(5) not null, ac point not null,
    ad line not null, ae lseg not null, af box not null, ag path not null, ah polygon not null, ai circle not null,
    aj tsvector not null, ak tsquery not null, al xml not null, am pg_lsn not null, an oid not null, ao regclass not null,
    ap "char" not null, aq jsonpath not null, ar int4range not null, as_ tstzrange not null, at int8multirange not null,
    au span not null, av span_multi not null, aw colour not null, ax address not null, ay email not null,
    az percent, ba code not null, bb text[] not null, bc int[][] not null, bd colour[] not null, be address[] not null,
    bf email[] not null, bg jsonb[] not null, bh numeric not null, bi varchar not null, bj regtype not null,
    bk text generated always as (upper(i)) stored, "Odd ""name" text not null
);
