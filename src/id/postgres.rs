//! Ids as PostgreSQL parameters and columns: text in, the parser out.

use std::error::Error as StdError;

use bytes::BytesMut;
use postgres_types::{FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};

use super::typed::{Id, IdKind};

/// Text types, and domains over them.
fn is_text(ty: &Type) -> bool {
    match ty.kind() {
        Kind::Domain(base) => is_text(base),
        _ => matches!(*ty, Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::UNKNOWN),
    }
}

impl<K: IdKind> ToSql for Id<K> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        self.to_string().to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        is_text(ty)
    }

    to_sql_checked!();
}

impl<'a, K: IdKind> FromSql<'a> for Id<K> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(std::str::from_utf8(raw)?.parse()?)
    }

    fn accepts(ty: &Type) -> bool {
        is_text(ty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::TenantId;

    #[test]
    fn text_goes_through_the_parser_both_ways() {
        let id = TenantId::generate();
        let mut out = BytesMut::new();
        id.to_sql_checked(&Type::TEXT, &mut out).unwrap();
        assert_eq!(TenantId::from_sql(&Type::TEXT, &out).unwrap(), id);
        assert!(TenantId::from_sql(&Type::TEXT, b"").is_err());
        assert!(TenantId::from_sql(&Type::TEXT, b"\xff").is_err());
        assert!(!<TenantId as ToSql>::accepts(&Type::UUID));
    }
}
