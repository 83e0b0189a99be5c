//! The grammar: tables, a child, policies, a view and a function, all at random from a seed.

use std::fmt::Write as _;

/// The audited role; made once on the server.
pub(crate) const ROLE: &str = "random_app";
/// Owns everything; no superuser.
const OWNER: &str = "random_owner";

/// A schema, and rows for two tenants in it.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) sql: String,
    pub(crate) rows: String,
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn one<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[usize::try_from(self.below(list.len() as u64)).unwrap()]
    }
}

const SETTING: &str = "current_setting('app.current_tenant', true)";
const OWN: &str = "tenant_id = current_setting('app.current_tenant', true)";

/// A policy's expression over a table with `tenant_id`, `flag` and `note`.
fn expression(dice: &mut Dice, depth: u64) -> String {
    let leaf = depth == 0 || dice.below(3) == 0;
    if leaf {
        // Mostly right, as in life.
        return match dice.below(12) {
            0..=6 => OWN.to_owned(),
            7 => "flag".to_owned(),
            8 => "note <> 'x'".to_owned(),
            9 => format!("nullif({SETTING}, '') is null"),
            10 => format!("tenant_id <> {SETTING}"),
            _ => dice.one(&["true", "false"]).to_owned(),
        };
    }
    let (a, b) = (expression(dice, depth - 1), expression(dice, depth - 1));
    match dice.below(6) {
        0..=2 => format!("({a} and {b})"),
        3 => format!("({a} or {b})"),
        4 => format!("coalesce({a}, {})", dice.one(&["false", "true"])),
        _ => format!("(case when flag then {a} else {b} end)"),
    }
}

/// Makes the roles, once on the server.
pub(crate) fn roles() -> String {
    format!(
        "do $$ begin
           if not exists (select from pg_roles where rolname = '{ROLE}') then create role {ROLE} login; end if;
           if not exists (select from pg_roles where rolname = '{OWNER}') then create role {OWNER}; end if;
         end $$"
    )
}

impl Schema {
    pub(crate) fn random(seed: u64) -> Self {
        let mut dice = Dice(seed.wrapping_mul(0x5851_f42d_4c95_7f2d));
        let mut sql = format!(
            "create schema r authorization {OWNER}; set role {OWNER}; grant usage on schema r to {ROLE};\n"
        );
        let mut rows = String::new();
        for number in 0..=dice.below(3) {
            let table = format!("t{number}");
            writeln!(
                sql,
                "create table r.{table} (id integer primary key, tenant_id text not null, flag boolean not null, \
                 note text not null); grant select, insert, update, delete on r.{table} to {ROLE};"
            )
            .unwrap();
            if dice.below(10) > 0 {
                writeln!(sql, "alter table r.{table} enable row level security;").unwrap();
            }
            if dice.below(2) > 0 {
                writeln!(sql, "alter table r.{table} force row level security;").unwrap();
            }
            for policy in 0..=dice.below(3) {
                let kind = if policy > 0 && dice.below(3) > 0 {
                    "restrictive"
                } else {
                    "permissive"
                };
                let command = dice.one(&["all", "all", "all", "select", "insert", "update", "delete"]);
                let depth = dice.below(3);
                let using = expression(&mut dice, depth);
                let check = if dice.below(4) == 0 {
                    Some(expression(&mut dice, depth))
                } else {
                    None
                };
                let mut text = format!("create policy p{policy} on r.{table} as {kind} for {command}");
                if command != "insert" {
                    write!(text, " using ({using})").unwrap();
                }
                match (command, check) {
                    ("select" | "delete", _) | ("all" | "update", None) => {}
                    (_, check) => write!(text, " with check ({})", check.unwrap_or(using)).unwrap(),
                }
                writeln!(sql, "{text};").unwrap();
            }
            for (index, tenant) in ["a", "b"].iter().enumerate() {
                for flag in [false, true] {
                    let id = 1_000 + index * 10 + usize::from(flag);
                    writeln!(
                        rows,
                        "insert into r.{table} values ({id}, '{tenant}', {flag}, 'note of {tenant}');"
                    )
                    .unwrap();
                }
            }
        }
        if dice.below(2) == 0 {
            let filter = if dice.below(2) == 0 { OWN } else { "true" };
            writeln!(
                sql,
                "create view r.v0 as select * from r.t0 where {filter}; grant select on r.v0 to {ROLE};"
            )
            .unwrap();
        }
        if dice.below(2) == 0 {
            let filter = if dice.below(2) == 0 { OWN } else { "true" };
            writeln!(
                sql,
                "create function r.f0() returns setof r.t0 language sql stable security definer \
                 set search_path = pg_catalog, pg_temp as $$ select * from r.t0 where {filter} $$;"
            )
            .unwrap();
        }
        child(seed, &mut sql, &mut rows);
        sql.push_str("reset role;\n");
        Self { sql, rows }
    }
}

/// Sometimes a table whose rows belong to whom the rows of the first one do that they refer to.
fn child(seed: u64, sql: &mut String, rows: &mut String) {
    // Dice of its own: the seeds that were there before it keep their tables.
    let mut dice = Dice(seed ^ 0x6368_696c_6400_0000);
    if dice.below(2) == 0 {
        return;
    }
    let action = dice.one(&["", " on delete cascade", " on update cascade on delete cascade"]);
    writeln!(
        sql,
        "create table r.c0 (id integer primary key, parent integer not null references r.t0{action}, \
         note text not null); grant select, insert, update, delete on r.c0 to {ROLE};"
    )
    .unwrap();
    if dice.below(10) > 0 {
        writeln!(sql, "alter table r.c0 enable row level security;").unwrap();
    }
    for policy in 0..=dice.below(2) {
        let condition = match dice.below(8) {
            0..=4 => format!("exists (select from r.t0 as p where p.id = parent and p.{OWN})"),
            5 => "exists (select from r.t0 as p where p.id = parent)".to_owned(),
            6 => format!("parent in (select p.id from r.t0 as p where p.{OWN}) and note <> 'x'"),
            _ => dice.one(&["true", "false", "note <> 'x'"]).to_owned(),
        };
        let command = dice.one(&["all", "all", "all", "select", "delete"]);
        writeln!(
            sql,
            "create policy p{policy} on r.c0 for {command} using ({condition});"
        )
        .unwrap();
    }
    for (id, parent) in [(2000, 1000), (2001, 1001), (2010, 1010), (2011, 1011)] {
        writeln!(rows, "insert into r.c0 values ({id}, {parent}, 'note');").unwrap();
    }
}
