//! Reading the small objects: those whose row needs no more than being copied.

use super::fields::Fields;
use super::{
    Acl, Collation, DefaultPrivileges, EventTrigger, Extension, ForeignServer, LargeObjects, Operator,
    Publication, Schema, Sequence, SystemGrant,
};
use crate::error::Result;

pub(super) fn schema(fields: &mut Fields<'_, '_>, acl: impl Fn(&[&str]) -> Result<Acl>) -> Result<Schema> {
    Ok(Schema {
        oid: fields.take()?,
        name: fields.text()?,
        owner: fields.take()?,
        acl: acl(&fields.take::<Vec<&str>>()?)?,
    })
}

pub(super) fn operator(fields: &mut Fields<'_, '_>) -> Result<Operator> {
    Ok(Operator {
        oid: fields.take()?,
        schema: fields.text()?,
        name: fields.text()?,
        left: fields.take()?,
        right: fields.take()?,
        function: fields.take()?,
    })
}

pub(super) fn collation(fields: &mut Fields<'_, '_>) -> Result<Collation> {
    Ok(Collation {
        oid: fields.take()?,
        schema: fields.text()?,
        name: fields.text()?,
    })
}

pub(super) fn sequence(
    fields: &mut Fields<'_, '_>,
    acl: impl Fn(&[&str]) -> Result<Acl>,
) -> Result<Sequence> {
    Ok(Sequence {
        oid: fields.take()?,
        schema: fields.text()?,
        name: fields.text()?,
        owner: fields.take()?,
        acl: acl(&fields.take::<Vec<&str>>()?)?,
        owned_by: match (fields.take()?, fields.take()?) {
            (Some(relation), Some(column)) => Some((relation, column)),
            _ => None,
        },
        identity: fields.take::<Option<bool>>()?.unwrap_or_default(),
    })
}

pub(super) fn extension(fields: &mut Fields<'_, '_>) -> Result<Extension> {
    Ok(Extension {
        oid: fields.take()?,
        name: fields.text()?,
        schema: fields.text()?,
        version: fields.take()?,
        owner: fields.take()?,
    })
}

pub(super) fn foreign_server(
    fields: &mut Fields<'_, '_>,
    acl: impl Fn(&[&str]) -> Result<Acl>,
) -> Result<ForeignServer> {
    Ok(ForeignServer {
        oid: fields.take()?,
        name: fields.text()?,
        wrapper: fields.text()?,
        owner: fields.take()?,
        acl: acl(&fields.take::<Vec<&str>>()?)?,
        mapped_roles: fields.take()?,
    })
}

pub(super) fn publication(fields: &mut Fields<'_, '_>) -> Result<Publication> {
    Ok(Publication {
        name: fields.text()?,
        owner: fields.take()?,
        all_tables: fields.take()?,
        tables: fields.take()?,
        filtered: fields.take()?,
    })
}

pub(super) fn event_trigger(fields: &mut Fields<'_, '_>) -> Result<EventTrigger> {
    Ok(EventTrigger {
        name: fields.text()?,
        event: fields.text()?,
        owner: fields.take()?,
        function: fields.take()?,
        enabled: matches!(fields.letter()?, 'O' | 'A'),
    })
}

pub(super) fn default_privileges(
    fields: &mut Fields<'_, '_>,
    acl: impl Fn(&[&str]) -> Result<Acl>,
) -> Result<DefaultPrivileges> {
    Ok(DefaultPrivileges {
        creator: fields.take()?,
        schema: fields.optional_text()?,
        object: fields.letter()?,
        acl: acl(&fields.take::<Vec<&str>>()?)?,
    })
}

pub(super) fn large_objects(
    fields: &mut Fields<'_, '_>,
    acl: impl Fn(&[&str]) -> Result<Acl>,
) -> Result<LargeObjects> {
    Ok(LargeObjects {
        owner: fields.take()?,
        acl: acl(&fields.take::<Vec<&str>>()?)?,
        count: fields.take()?,
    })
}

pub(super) fn system_grant(
    fields: &mut Fields<'_, '_>,
    acl: impl Fn(&[&str]) -> Result<Acl>,
) -> Result<SystemGrant> {
    Ok(SystemGrant {
        name: fields.text()?,
        owner: fields.take()?,
        acl: acl(&fields.take::<Vec<&str>>()?)?,
    })
}
