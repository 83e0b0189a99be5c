//! SECURITY DEFINER code builds statements out of text.

use crate::audit::{About, Check, Context, Findings, Group, Severity};
use crate::checks::functions::{callable_definers, runs_unheld};
use crate::model::expression::{Token, tokens};

pub(crate) static CHECK: Check = Check {
    summary: "a SECURITY DEFINER function builds statements out of text",
    severity: Severity::Warning,
    group: Group::Code,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for (role, function) in callable_definers(context) {
        let takes_text = !function.arguments.is_empty() || function.is_trigger_function();
        let body = function.body.as_deref().unwrap_or_default();
        if takes_text
            && &*function.language == "plpgsql"
            && runs_unheld(context, function.owner)
            && pastes(&tokens(body))
        {
            let owner = context.catalog.role_name(function.owner);
            findings.add(
                About::new(function.object()).by(&role.name),
                format!("it pastes text into a statement and runs it as {owner}: an argument may hold more than a value"),
                "EXECUTE … USING for values, format() with %I for names and %L for literals",
            );
        }
    }
}

/// Whether an EXECUTE is built with `||` or with `%s` of format(): other ways to put text in are quoted.
fn pastes(body: &[Token]) -> bool {
    let word = |token: &Token, word: &str| matches!(token, Token::Word(known) if known == word);
    let mut statement: &[Token] = &[];
    let mut rest = body;
    while let [first, after @ ..] = rest {
        rest = after;
        if word(first, "execute") {
            let end = after
                .iter()
                .position(|token| *token == Token::Symbol(';'))
                .unwrap_or(after.len());
            statement = &after[..end];
        }
        let concatenates = statement
            .windows(2)
            .any(|pair| pair == [Token::Symbol('|'), Token::Symbol('|')])
            && !statement.iter().any(|token| {
                ["quote_ident", "quote_literal", "quote_nullable"]
                    .iter()
                    .any(|quote| word(token, quote))
            });
        let inserts = statement
            .iter()
            .any(|token| matches!(token, Token::Text(text) if text.contains("%s")));
        if concatenates || inserts {
            return true;
        }
        statement = &[];
    }
    false
}
