//! The two forms of a connection string, read into libpq's parameter keywords: `postgres://…` and `key=value …`.
//!
//! Nothing is interpreted here. No error repeats a part of the text, because any part may turn out to be a password.

use std::collections::BTreeMap;

use crate::error::{Error, Result};

/// Parameter keyword to value; empty values are left out, as libpq takes them for absent.
pub(super) type Keywords = BTreeMap<String, String>;

/// Reads either form.
pub(super) fn parse(text: &str) -> Result<Keywords> {
    let url = ["postgres://", "postgresql://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    let mut keywords = match url {
        Some(rest) => parse_url(rest)?,
        None if text.contains("://") => {
            return Err(malformed("its scheme is neither postgres nor postgresql"));
        }
        None => parse_key_values(text)?,
    };
    keywords.retain(|_, value| !value.is_empty());
    Ok(keywords)
}

/// One parameter in the key=value form, quoted.
pub(super) fn quote(key: &str, value: &str) -> String {
    let value = value.replace('\\', r"\\").replace('\'', r"\'");
    format!("{key}='{value}'")
}

fn malformed(reason: &str) -> Error {
    Error::input(format!("the database URL is malformed: {reason}"))
        .with_help("the form is postgres://user:password@host:port/database, or host=… user=… dbname=…")
}

fn parse_url(rest: &str) -> Result<Keywords> {
    let mut keywords = Keywords::new();
    let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(authority_end);
    // The last '@': a host has none, and people do forget to encode the one in a password.
    let (credentials, hosts) = authority
        .rsplit_once('@')
        .map_or((None, authority), |(credentials, hosts)| {
            (Some(credentials), hosts)
        });
    if let Some(credentials) = credentials {
        let (user, password) = credentials
            .split_once(':')
            .map_or((credentials, None), |(user, password)| (user, Some(password)));
        keywords.insert("user".to_owned(), decode(user)?);
        if let Some(password) = password {
            keywords.insert("password".to_owned(), decode(password)?);
        }
    }
    if !hosts.is_empty() {
        let (hosts, ports): (Vec<_>, Vec<_>) = hosts
            .split(',')
            .map(host_and_port)
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .unzip();
        if ports.iter().any(|port| !port.is_empty()) {
            keywords.insert("port".to_owned(), ports.join(","));
        }
        keywords.insert("host".to_owned(), hosts.join(","));
    }
    let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
    if let Some(database) = path.strip_prefix('/') {
        keywords.insert("dbname".to_owned(), decode(database)?);
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair
            .split_once('=')
            .ok_or_else(|| malformed("a parameter after the question mark has no value"))?;
        keywords.insert(decode(key)?, decode(value)?);
    }
    Ok(keywords)
}

fn host_and_port(text: &str) -> Result<(String, String)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest
                .split_once(']')
                .ok_or_else(|| malformed("an IPv6 address lacks its closing bracket"))?;
            let port = match port {
                "" => "",
                port => port
                    .strip_prefix(':')
                    .ok_or_else(|| malformed("something other than a port follows the host"))?,
            };
            (host, port)
        }
        None => text.split_once(':').unwrap_or((text, "")),
    };
    Ok((decode(host)?, decode(port)?))
}

fn decode(text: &str) -> Result<String> {
    let bad = || malformed("a %-escape is not two hexadecimal digits");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            let digits = tail.get(..2).ok_or_else(bad)?;
            let value = std::str::from_utf8(digits)
                .ok()
                .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
                .and_then(|digits| u8::from_str_radix(digits, 16).ok())
                .ok_or_else(bad)?;
            bytes.push(value);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).map_err(|_| malformed("a %-escaped part is not UTF-8"))
}

fn parse_key_values(text: &str) -> Result<Keywords> {
    let mut keywords = Keywords::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (key, tail) = rest
            .split_once('=')
            .ok_or_else(|| malformed("a word is not followed by = and a value"))?;
        let key = key.trim_end();
        if key.is_empty() || key.contains(char::is_whitespace) {
            return Err(malformed("a word is not followed by = and a value"));
        }
        let (value, tail) = key_value(tail.trim_start())?;
        keywords.insert(key.to_owned(), value);
        rest = tail.trim_start();
    }
    Ok(keywords)
}

/// Reads one value, quoted or not, and gives the text behind it.
fn key_value(text: &str) -> Result<(String, &str)> {
    let (quoted, body) = text.strip_prefix('\'').map_or((false, text), |body| (true, body));
    let mut value = String::new();
    let mut chars = body.char_indices();
    while let Some((index, c)) = chars.next() {
        match c {
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            '\'' if quoted => return Ok((value, &body[index + 1..])),
            c if !quoted && c.is_whitespace() => return Ok((value, &body[index..])),
            c => value.push(c),
        }
    }
    if quoted {
        return Err(malformed("a quoted value has no end"));
    }
    Ok((value, ""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keywords(pairs: &[(&str, &str)]) -> Keywords {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn both_forms_give_the_same_keywords() {
        let url =
            parse("postgresql://app%40x:p%2Fw@db.example:6432/shop?sslmode=verify-full&connect_timeout=3")
                .unwrap();
        let text =
            parse("host=db.example port = 6432 user=app@x password='p/w' dbname=shop sslmode=verify-full connect_timeout=3")
                .unwrap();
        assert_eq!(url, text);
    }

    #[test]
    fn hosts_come_in_lists_brackets_and_sockets() {
        assert_eq!(
            parse("postgres://a:1,[::1],c:3/").unwrap(),
            keywords(&[("host", "a,::1,c"), ("port", "1,,3")])
        );
        assert_eq!(
            parse("postgres://%2Frun%2Fpg/x").unwrap(),
            keywords(&[("host", "/run/pg"), ("dbname", "x")])
        );
        assert_eq!(
            parse("postgres:///x?host=/run/pg").unwrap(),
            keywords(&[("host", "/run/pg"), ("dbname", "x")])
        );
    }

    #[test]
    fn malformed_text_is_refused_without_repeating_it() {
        for text in [
            "postgres://u:s3cret@[::1/x",
            "postgres://u:s3cret@h/x?s3cret",
            "postgres://u:s3cret%zz@h/x",
            "mysql://u:s3cret@h/x",
            "s3cret",
            "password='s3cret",
        ] {
            let error = parse(text).unwrap_err();
            assert!(!error.chain().contains("s3cret"), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_value_survives_quoting(value in "[^\0]{1,30}") {
            let parsed = parse(&format!("{} {}", quote("password", &value), quote("user", "u"))).unwrap();
            prop_assert_eq!(parsed, keywords(&[("password", &value), ("user", "u")]));
        }

        #[test]
        fn parsing_never_panics(text in ".{0,60}") {
            drop(parse(&text));
            drop(parse(&format!("postgres://{text}")));
        }
    }
}
