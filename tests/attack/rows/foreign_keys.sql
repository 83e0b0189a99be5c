-- Composite keys, keys to global tables, cycles by NULL and by deferral, self references, one row a parent.
create table countries (code char(2) primary key check (code in ('de', 'fr')));
insert into countries values ('de'), ('fr');
create table plans (id int primary key, name text not null unique);
create table tenants (tenant_id int primary key, country char(2) not null references countries,
    plan_id int not null references plans);
create table users (tenant_id int not null references tenants, id int not null, email text not null,
    manager_id int, primary key (tenant_id, id), unique (tenant_id, email),
    foreign key (tenant_id, manager_id) references users);
create table profiles (tenant_id int not null, user_id int not null, bio text,
    primary key (tenant_id, user_id), foreign key (tenant_id, user_id) references users);
create table settings (tenant_id int primary key references tenants, theme text);
create table teams (tenant_id int not null references tenants, id int not null, primary key (tenant_id, id));
create table members (tenant_id int not null, team_id int not null, user_id int not null,
    primary key (tenant_id, team_id, user_id),
    foreign key (tenant_id, team_id) references teams, foreign key (tenant_id, user_id) references users);
create table drafts (tenant_id int not null references tenants, id int primary key, current int);
create table versions (tenant_id int not null references tenants, id int primary key,
    draft_id int not null references drafts);
alter table drafts add foreign key (current) references versions;
create table eggs (tenant_id int not null references tenants, id int primary key, hen_id int not null);
create table hens (tenant_id int not null references tenants, id int primary key,
    egg_id int not null references eggs deferrable initially deferred);
alter table eggs add foreign key (hen_id) references hens deferrable initially deferred;
