//! Reading the small objects: those whose row needs no more than being copied.

use super::fields::Fields;
use super::{
    Acl, Collation, DefaultPrivileges, EventTrigger, Extension, ForeignServer, LargeObjects, Operator,
    Publication, Schema, Sequence, SystemGrant,
};
use crate::error::Result;

impl Fields<'_, '_> {
    pub(super) fn schema(&mut self, acl: impl Fn(&[&str]) -> Result<Acl>) -> Result<Schema> {
        Ok(Schema {
            oid: self.take()?,
            name: self.text()?,
            owner: self.take()?,
            acl: acl(&self.take::<Vec<&str>>()?)?,
        })
    }

    pub(super) fn operator(&mut self) -> Result<Operator> {
        Ok(Operator {
            oid: self.take()?,
            schema: self.text()?,
            name: self.text()?,
            left: self.take()?,
            right: self.take()?,
            function: self.take()?,
        })
    }

    pub(super) fn collation(&mut self) -> Result<Collation> {
        Ok(Collation {
            oid: self.take()?,
            schema: self.text()?,
            name: self.text()?,
        })
    }

    pub(super) fn sequence(&mut self, acl: impl Fn(&[&str]) -> Result<Acl>) -> Result<Sequence> {
        Ok(Sequence {
            oid: self.take()?,
            schema: self.text()?,
            name: self.text()?,
            owner: self.take()?,
            acl: acl(&self.take::<Vec<&str>>()?)?,
            owned_by: match (self.take()?, self.take()?) {
                (Some(relation), Some(column)) => Some((relation, column)),
                _ => None,
            },
            identity: self.take::<Option<bool>>()?.unwrap_or_default(),
        })
    }

    pub(super) fn extension(&mut self) -> Result<Extension> {
        Ok(Extension {
            oid: self.take()?,
            name: self.text()?,
            schema: self.text()?,
            version: self.take()?,
            owner: self.take()?,
        })
    }

    pub(super) fn foreign_server(&mut self, acl: impl Fn(&[&str]) -> Result<Acl>) -> Result<ForeignServer> {
        Ok(ForeignServer {
            oid: self.take()?,
            name: self.text()?,
            wrapper: self.text()?,
            owner: self.take()?,
            acl: acl(&self.take::<Vec<&str>>()?)?,
            mapped_roles: self.take()?,
        })
    }

    pub(super) fn publication(&mut self) -> Result<Publication> {
        Ok(Publication {
            name: self.text()?,
            owner: self.take()?,
            all_tables: self.take()?,
            tables: self.take()?,
            filtered: self.take()?,
        })
    }

    pub(super) fn event_trigger(&mut self) -> Result<EventTrigger> {
        Ok(EventTrigger {
            name: self.text()?,
            event: self.text()?,
            owner: self.take()?,
            function: self.take()?,
            enabled: matches!(self.letter()?, 'O' | 'A'),
        })
    }

    pub(super) fn default_privileges(
        &mut self,
        acl: impl Fn(&[&str]) -> Result<Acl>,
    ) -> Result<DefaultPrivileges> {
        Ok(DefaultPrivileges {
            creator: self.take()?,
            schema: self.optional_text()?,
            object: self.letter()?,
            acl: acl(&self.take::<Vec<&str>>()?)?,
        })
    }

    pub(super) fn large_objects(&mut self, acl: impl Fn(&[&str]) -> Result<Acl>) -> Result<LargeObjects> {
        Ok(LargeObjects {
            owner: self.take()?,
            acl: acl(&self.take::<Vec<&str>>()?)?,
            count: self.take()?,
        })
    }

    pub(super) fn system_grant(&mut self, acl: impl Fn(&[&str]) -> Result<Acl>) -> Result<SystemGrant> {
        Ok(SystemGrant {
            name: self.text()?,
            owner: self.take()?,
            acl: acl(&self.take::<Vec<&str>>()?)?,
        })
    }
}
