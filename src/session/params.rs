//! Parameter types taken from the Rust values, for statements that are sent unnamed and typed in one round trip.
//!
//! A value says of any type whether it can be sent as that type, from the most to the least common. PostgreSQL converts
//! from there (`int4` where the column is `bigint`), or refuses. Texts are sent as `text` and never as `unknown`: values
//! travel in binary form, and a server that took an `unknown` for an integer would read four letters as a number.

use bytes::BytesMut;
use postgres_types::{ToSql, Type};

use crate::error::{Error, Result};

const CANDIDATES: [Type; 45] = [
    Type::TEXT,
    Type::INT4,
    Type::INT8,
    Type::BOOL,
    Type::UUID,
    Type::TIMESTAMPTZ,
    Type::JSONB,
    Type::BYTEA,
    Type::FLOAT8,
    Type::INT2,
    Type::FLOAT4,
    Type::NUMERIC,
    Type::DATE,
    Type::TIMESTAMP,
    Type::TIME,
    Type::JSON,
    Type::OID,
    Type::CHAR,
    Type::INET,
    Type::CIDR,
    Type::MACADDR,
    Type::INTERVAL,
    Type::TIMETZ,
    Type::VARBIT,
    Type::BIT,
    Type::POINT,
    Type::BOX,
    Type::PATH,
    Type::PG_LSN,
    Type::TS_VECTOR,
    Type::TEXT_ARRAY,
    Type::INT4_ARRAY,
    Type::INT8_ARRAY,
    Type::BOOL_ARRAY,
    Type::UUID_ARRAY,
    Type::TIMESTAMPTZ_ARRAY,
    Type::JSONB_ARRAY,
    Type::BYTEA_ARRAY,
    Type::FLOAT8_ARRAY,
    Type::INT2_ARRAY,
    Type::FLOAT4_ARRAY,
    Type::NUMERIC_ARRAY,
    Type::DATE_ARRAY,
    Type::TIMESTAMP_ARRAY,
    Type::OID_ARRAY,
];

/// The parameters with a type each.
pub(super) fn typed<'p>(params: &[&'p (dyn ToSql + Sync)]) -> Result<Vec<(&'p (dyn ToSql + Sync), Type)>> {
    let mut scratch = BytesMut::new();
    let mut typed = Vec::with_capacity(params.len());
    for (index, param) in params.iter().enumerate() {
        let found = CANDIDATES.iter().find(|candidate| {
            scratch.clear();
            // An error may also be the value's own; the next candidate or the final attempt tells.
            param.to_sql_checked(candidate, &mut scratch).is_ok()
        });
        let Some(found) = found else {
            return Err(Error::input(format!(
                "parameter ${} has a Rust type whose PostgreSQL type cannot be told from it",
                index + 1
            ))
            .with_help("use the _typed method and name the type, or Statements::Named"));
        };
        typed.push((*param, found.clone()));
    }
    Ok(typed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TenantId;

    #[test]
    fn common_values_find_their_types() {
        let id = TenantId::generate();
        let none: Option<i64> = None;
        let texts = vec!["a".to_owned()];
        let params: [&(dyn ToSql + Sync); 8] = [
            &"a",
            &1_i32,
            &2_i64,
            &id,
            &none,
            &true,
            &texts,
            &uuid::Uuid::nil().to_string(),
        ];
        let types: Vec<_> = typed(&params).unwrap().into_iter().map(|(_, ty)| ty).collect();
        assert_eq!(
            types,
            [
                Type::TEXT,
                Type::INT4,
                Type::INT8,
                Type::TEXT,
                Type::INT8,
                Type::BOOL,
                Type::TEXT_ARRAY,
                Type::TEXT
            ]
        );
    }
}
