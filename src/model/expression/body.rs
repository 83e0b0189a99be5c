//! Function bodies as text: their tokens, what can be seen in them without understanding them, and the few forms that
//! are understood (`SELECT nullif(current_setting('…', true), '')::uuid` and its kin).

use std::collections::BTreeSet;

use super::expr::Expr;
use crate::catalog::{Function, Oid};
use crate::proof::body::{Ast, Operator, parse_plpgsql, parse_sql};
use crate::sql::Literal;

/// `jsonb -> text` and `jsonb ->> text`.
const JSONB_FIELD: Oid = 3478;
const JSONB_FIELD_TEXT: Oid = 3214;

/// A token of SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A word in lower case, or a quoted name as it is.
    Word(String),
    /// The value of a string.
    Text(String),
    /// A number.
    Number(String),
    /// Any other character.
    Symbol(char),
}

impl Token {
    pub(crate) fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(known) if known == word)
    }
}

/// The tokens of a body, without comments.
pub(crate) fn tokens(body: &str) -> Vec<Token> {
    let mut list = Vec::new();
    let mut rest = body;
    while let Some(first) = rest.chars().next() {
        let length = if first.is_whitespace() {
            first.len_utf8()
        } else if rest.starts_with("--") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if first == '\'' || first == '"' {
            let (text, length) = quoted(rest, first);
            list.push(if first == '"' {
                Token::Word(text)
            } else {
                Token::Text(text)
            });
            length
        } else if first == '$' {
            if let Some((text, length)) = dollar_quoted(rest) {
                list.push(Token::Text(text.to_owned()));
                length
            } else {
                list.push(Token::Symbol('$'));
                1
            }
        } else if first.is_alphabetic() || first == '_' {
            let end = |c: char| !(c.is_alphanumeric() || c == '_' || c == '$');
            let length = rest.find(end).unwrap_or(rest.len());
            list.push(Token::Word(rest[..length].to_lowercase()));
            length
        } else if first.is_ascii_digit() {
            let length = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            list.push(Token::Number(rest[..length].to_owned()));
            length
        } else {
            list.push(Token::Symbol(first));
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    list
}

/// A quoted string or name from its opening quote on: its value and its length.
fn quoted(text: &str, quote: char) -> (String, usize) {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((place, c)) = chars.next() {
        // Doubled, the quote stands for itself.
        if c == quote && chars.next_if(|(_, next)| *next == quote).is_none() {
            return (value, place + c.len_utf8());
        }
        value.push(c);
    }
    (value, text.len())
}

fn dollar_quoted(text: &str) -> Option<(&str, usize)> {
    let tag = 2 + text[1..].find('$')?;
    let name = &text[1..tag - 1];
    let is_tag = name.chars().all(|c| c.is_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    if !is_tag {
        return None;
    }
    let end = tag + text[tag..].find(&text[..tag])?;
    Some((&text[tag..end], end + tag))
}

/// The settings that a body reads with a name that is written out, in lower case.
pub(crate) fn settings_read(body: &[Token]) -> BTreeSet<String> {
    let calls = body.windows(3).filter_map(|window| match window {
        [name, Token::Symbol('('), Token::Text(setting)] if name.is("current_setting") => {
            Some(setting.to_lowercase())
        }
        _ => None,
    });
    calls.collect()
}

/// Names that stand where a body reads or writes a table: the schema, if it is given, and the name.
pub(crate) fn names_read(body: &[Token]) -> BTreeSet<(Option<String>, String)> {
    let mut names = BTreeSet::new();
    let mut rest = body;
    while let [first, after @ ..] = rest {
        rest = after;
        if !["from", "join", "into", "update", "using", "table"]
            .iter()
            .any(|word| first.is(word))
        {
            continue;
        }
        let after = match after {
            [only, after @ ..] if only.is("only") => after,
            _ => after,
        };
        match after {
            [Token::Word(schema), Token::Symbol('.'), Token::Word(name), ..] => {
                names.insert((Some(schema.clone()), name.clone()));
            }
            // A function in FROM is no table.
            [Token::Word(_), Token::Symbol('('), ..] if first.is("from") || first.is("join") => {}
            [Token::Word(name), ..] => {
                names.insert((None, name.clone()));
            }
            _ => {}
        }
    }
    names
}

/// What a function's text computes, where it has one of the forms that are understood.
pub(super) fn computes(function: &Function) -> Option<Expr> {
    let body = function.body.as_deref()?;
    if !function.arguments.is_empty() || function.strict {
        return None;
    }
    let ast = match &*function.language {
        "sql" => parse_sql(body),
        "plpgsql" => parse_plpgsql(body),
        _ => return None,
    };
    Some(Expr::Cast {
        arg: Box::new(meaning(&ast.ok()?)?),
        target: function.result,
    })
}

/// What these tokens of a body compute.
pub(crate) fn computes_tokens(list: &[Token]) -> Option<Expr> {
    let mut text = String::from("SELECT ");
    let mut apart = false;
    for token in list {
        let is_symbol = matches!(token, Token::Symbol(_));
        if apart && !is_symbol {
            text.push(' ');
        }
        apart = !is_symbol;
        match token {
            // The words of SQL among them have to stay such.
            Token::Word(word) | Token::Number(word) => text.push_str(word),
            Token::Text(value) => text.push_str(&Literal::new(value).ok()?.to_string()),
            Token::Symbol(symbol) => text.push(*symbol),
        }
    }
    meaning(&parse_sql(&text).ok()?)
}

fn meaning(ast: &Ast) -> Option<Expr> {
    let boxed = |ast: &Ast| meaning(ast).map(Box::new);
    Some(match ast {
        Ast::Null => Expr::Null,
        Ast::Bool(truth) => Expr::Bool(*truth),
        Ast::String(text) | Ast::Number(text) => Expr::Text(text.clone()),
        Ast::CurrentUser | Ast::SessionUser => Expr::User,
        Ast::NullIf(left, right) => Expr::NullIf(boxed(left)?, boxed(right)?),
        Ast::Coalesce(list) => Expr::Coalesce(list.iter().map(meaning).collect::<Option<_>>()?),
        Ast::Cast(arg, ty) if ty.limit.is_none() && !ty.array => Expr::Cast {
            arg: boxed(arg)?,
            target: type_named(own_name(&ty.name)?)?,
        },
        Ast::Binary(operator @ (Operator::JsonField | Operator::JsonFieldText), object, key) => {
            let Ast::String(key) = &**key else {
                return None;
            };
            Expr::Call {
                function: if *operator == Operator::JsonField {
                    JSONB_FIELD
                } else {
                    JSONB_FIELD_TEXT
                },
                args: vec![meaning(object)?, Expr::Text(key.clone())],
                body: None,
            }
        }
        Ast::Call(name, args) if own_name(name)? == "current_setting" => {
            let (Some(Ast::String(name)), 1 | 2) = (args.first(), args.len()) else {
                return None;
            };
            Expr::Setting {
                name: name.to_lowercase(),
                missing_ok: match args.get(1) {
                    None => false,
                    Some(Ast::Bool(missing_ok)) => *missing_ok,
                    // A string is a boolean too.
                    Some(Ast::String(text)) => matches!(text.as_str(), "t" | "true"),
                    Some(_) => return None,
                },
            }
        }
        _ => return None,
    })
}

/// The name of one of PostgreSQL's own objects, as far as the text tells.
fn own_name(name: &[String]) -> Option<&str> {
    match name {
        [name] => Some(name),
        [schema, name] if schema == "pg_catalog" => Some(name),
        _ => None,
    }
}

fn type_named(name: &str) -> Option<Oid> {
    Some(match name {
        "text" => 25,
        "varchar" => 1043,
        "uuid" => 2950,
        "int" | "integer" | "int4" => 23,
        "bigint" | "int8" => 20,
        "boolean" | "bool" => 16,
        "jsonb" => 3802,
        "json" => 114,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_names_and_comments_are_told_apart() {
        let list = tokens("a -- b\n 'it''s' /* c */ \"D\"\"d\" $x$ y $x$ $1 12");
        let expected = [
            Token::Word("a".into()),
            Token::Text("it's".into()),
            Token::Word("D\"d".into()),
            Token::Text(" y ".into()),
            Token::Symbol('$'),
            Token::Number("1".into()),
            Token::Number("12".into()),
        ];
        assert_eq!(list, expected);
    }

    #[test]
    fn tables_and_settings_are_seen() {
        let list = tokens(
            "select x from s.a join b using (i) where c = current_setting('App.Tenant', true); insert into d values (1)",
        );
        let names: Vec<_> = names_read(&list).into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["b", "d", "a"]);
        assert_eq!(settings_read(&list), ["app.tenant".to_owned()].into());
    }

    #[test]
    fn the_common_form_is_understood_and_more_is_not() {
        let value = |text: &str| {
            parse_sql(&format!("SELECT {text};"))
                .ok()
                .and_then(|ast| meaning(&ast))
        };
        assert!(matches!(
            value("nullif(current_setting('app.t', true), '')::uuid"),
            Some(Expr::Cast { target: 2950, .. })
        ));
        assert!(value("(current_setting('request.jwt.claims', true)::jsonb ->> 'sub')::uuid").is_some());
        assert_eq!(value("f(1)"), None);
        assert_eq!(value("current_setting('a.b') || 'x'"), None);
    }
}
