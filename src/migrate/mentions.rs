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

/// Whether the file has an UPDATE, DELETE or MERGE of a table called `name`.
pub(crate) fn changes(sql: &str, name: &str) -> bool {
    let mut found = false;
    each_statement(sql, DEPTH, &mut |statement| {
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
            found |= rest
                .first()
                .and_then(Token::name)
                .is_some_and(|other| other == name);
        }
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
    fn targets_are_found_in_statements_bodies_and_dynamic_sql() {
        for sql in [
            "update app.orders set x = 1",
            "update only orders set x = 1",
            "with w as (select 1) delete from App.Orders where x",
            "merge into orders as o using w on true when matched then do nothing",
            "do $$ begin update app.orders set x = 1; end $$",
            "do $$ begin execute 'delete from orders where x'; end $$",
        ] {
            assert!(changes(sql, "orders"), "{sql}");
        }
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
