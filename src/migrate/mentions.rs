//! What a file's text says about roles and targets, also inside function bodies and dynamic SQL. These are hints: what
//! really happened is read from the server.

use std::collections::BTreeSet;

use crate::migrate::lexer::{Statement, Token, statements};

/// How deep quoted text is read as SQL itself.
const DEPTH: usize = 3;

/// Roles that the file switches to: `SET [LOCAL] ROLE …`.
pub(crate) fn roles(sql: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    each_statement(sql, DEPTH, &mut |statement| {
        for (at, _) in statement
            .tokens
            .iter()
            .enumerate()
            .filter(|(_, token)| token.is("role"))
        {
            let before = &statement.tokens[..at];
            let sets = matches!(before, [.., last] if last.is("set"))
                || matches!(before, [.., set, scope] if set.is("set") && (scope.is("local") || scope.is("session")));
            let mut next = statement.tokens[at + 1..].iter();
            let mut name = next.next();
            if name.is_some_and(|token| token.is("to") || *token == Token::Symbol('=')) {
                name = next.next();
            }
            if sets {
                found.extend(name.and_then(|token| match token {
                    // Empty where the quotes are doubled, in a literal within a literal.
                    Token::Text(text) => (!text.is_empty()).then(|| (*text).to_owned()),
                    other => other.name(),
                }));
            }
        }
    });
    found
}

/// Whether the whole file runs as the roles that it switches to: it begins with `SET ROLE`, and returns to the session's
/// own role at its end at most.
pub(crate) fn runs_as_role(sql: &str) -> bool {
    let statements = statements(sql);
    let [first, rest @ ..] = statements.as_slice() else {
        return false;
    };
    let inner = &rest[..rest.len().saturating_sub(1)];
    sets_role(first) && !inner.iter().any(|statement| resets_role(statement))
}

fn sets_role(statement: &Statement<'_>) -> bool {
    let forms: [&[&str]; 3] = [
        &["set", "role"],
        &["set", "local", "role"],
        &["set", "session", "role"],
    ];
    forms.iter().any(|form| statement.starts_with(form)) && !resets_role(statement)
}

fn resets_role(statement: &Statement<'_>) -> bool {
    statement.starts_with(&["reset"]) || statement.tokens.last().is_some_and(|token| token.is("none"))
}

/// Every name and keyword of the file: among them the functions that it calls.
pub(crate) fn names(sql: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    each_statement(sql, DEPTH, &mut |statement| {
        found.extend(statement.tokens.iter().filter_map(Token::name));
    });
    found
}

/// Whether the file has an UPDATE, DELETE or MERGE of a table called `name`.
pub(crate) fn changes(sql: &str, name: &str) -> bool {
    let mut found = false;
    each_statement(sql, DEPTH, &mut |statement| {
        found |= changes_table(statement, name);
    });
    found
}

/// As [`changes`], without the bodies of what it creates: those do not run yet.
pub(crate) fn changes_itself(sql: &str, name: &str) -> bool {
    statements(sql)
        .iter()
        .filter(|statement| !statement.starts_with(&["create"]))
        .any(|statement| changes(statement.text, name))
}

fn changes_table(statement: &Statement<'_>, name: &str) -> bool {
    for (at, token) in statement.tokens.iter().enumerate() {
        let mut rest = &statement.tokens[at + 1..];
        match rest {
            [next, after @ ..] if token.is("delete") && next.is("from") => rest = after,
            [next, after @ ..] if token.is("merge") && next.is("into") => rest = after,
            _ if token.is("update") => {}
            _ => continue,
        }
        if let [only, after @ ..] = rest
            && only.is("only")
        {
            rest = after;
        }
        if let [_, Token::Symbol('.'), after @ ..] = rest {
            rest = after;
        }
        if rest
            .first()
            .and_then(Token::name)
            .is_some_and(|other| other == name)
        {
            return true;
        }
    }
    false
}

/// Whether the file deals with row security itself: switches role, binds a setting, or alters what row security does. Its
/// author then knows which rows it reaches.
pub(crate) fn row_security(sql: &str) -> bool {
    let mut found = false;
    each_statement(sql, DEPTH, &mut |statement| {
        let tokens = &statement.tokens;
        let has = |words: &[&str]| {
            let mut windows = tokens.windows(words.len());
            windows.any(|window| window.iter().zip(words).all(|(token, word)| token.is(word)))
        };
        let sets = |window: &[Token<'_>]| {
            window[0].is("set")
                && matches!(window, [.., Token::Word(_), Token::Symbol('.')])
                && (window.len() == 3 || window[1].is("local") || window[1].is("session"))
        };
        found |= statement.starts_with(&["set", "role"])
            || has(&["set", "local", "role"])
            || has(&["set", "session", "role"])
            || has(&["row", "level", "security"])
            || has(&["create", "policy"])
            || has(&["alter", "policy"])
            || has(&["set_config"])
            || (statement.starts_with(&["set"]) && tokens.windows(3).take(1).any(sets))
            || tokens.windows(4).any(sets);
    });
    found
}

fn each_statement(sql: &str, depth: usize, see: &mut impl FnMut(&Statement<'_>)) {
    for statement in statements(sql) {
        see(&statement);
        for token in &statement.tokens {
            if let Token::Text(text) = token
                && depth > 0
                && text.contains(char::is_whitespace)
            {
                each_statement(text, depth - 1, see);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_found_wherever_the_file_switches_to_them() {
        let sql = "set local role App_Owner; set role \"Weird\"; do $$ begin set session role to x; end $$;
                   execute 'set role = ''y'''; alter role z set role to w; reset role; set role none";
        let found: Vec<_> = roles(sql).into_iter().collect();
        assert_eq!(found, ["Weird", "app_owner", "none", "w", "x"]);
        assert!(roles("create role set_role; grant role_a to role_b; -- set role c").is_empty());
    }

    #[test]
    fn a_file_runs_as_the_role_that_it_begins_with() {
        assert!(runs_as_role("set local role a; update t set x = 1; reset role;"));
        assert!(runs_as_role("-- title\nset role a; update t set x = 1"));
        assert!(!runs_as_role("update t set x = 1; set local role a; select 1"));
        assert!(!runs_as_role(
            "set local role a; select 1; reset role; update t set x = 1"
        ));
        assert!(!runs_as_role("set role none; update t set x = 1"));
        assert!(!runs_as_role(""));
    }

    #[test]
    fn a_file_that_deals_with_row_security_is_told_from_one_that_does_not() {
        for sql in [
            "set local role a; update t set x = 1",
            "do $$ begin set local role a; update t set x = 1; end $$",
            "alter table t no force row level security; update t set x = 1",
            "create policy p on t to a using (true); update t set x = 1",
            "select set_config('app.tenant', 'a', true); update t set x = 1",
            "set app.tenant = 'a'; update t set x = 1",
            "set local app.tenant = 'a'; update t set x = 1",
        ] {
            assert!(row_security(sql), "{sql}");
        }
        for sql in [
            "update users set role = 'admin', local = t.x",
            "update policy set level = 1",
            "set local search_path = app; update t set x = 1",
            "update t set x = s.x from s",
        ] {
            assert!(!row_security(sql), "{sql}");
        }
    }

    #[test]
    fn targets_are_found_in_statements_bodies_and_dynamic_sql() {
        for sql in [
            "update app.orders set x = 1",
            "update only orders set x = 1",
            "with w as (select 1) delete from App.Orders where x",
            "merge into orders as o using w on true when matched then do nothing",
            "do $$ begin update app.orders set x = 1; end $$",
            "do $$ begin execute 'delete from orders where x'; end $$",
        ] {
            assert!(changes(sql, "orders") && changes_itself(sql, "orders"), "{sql}");
        }
        let body = "create function f() returns void language sql as 'update orders set x = 1'";
        assert!(changes(body, "orders") && !changes_itself(body, "orders"));
        for sql in [
            "insert into orders select 1 on conflict do update set x = 1",
            "select * from orders for update",
            "create trigger t before update on orders for each row execute function f()",
            "update order_lines set orders = 1",
        ] {
            assert!(!changes(sql, "orders"), "{sql}");
        }
    }
}
