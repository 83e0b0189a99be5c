//! A list of objects sorted by name that is also found by OID.

use std::collections::HashMap;
use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Oid;

/// An object with an OID.
pub trait Named {
    /// Its OID.
    fn oid(&self) -> Oid;
}

/// Objects of one kind, sorted by name, found by OID. Reads like a slice.
#[derive(Debug, Clone)]
pub struct Objects<T> {
    list: Vec<T>,
    by_oid: HashMap<Oid, usize>,
}

impl<T: Named> Objects<T> {
    /// The objects in the order given.
    pub fn new(list: Vec<T>) -> Self {
        let by_oid = list
            .iter()
            .enumerate()
            .map(|(index, object)| (object.oid(), index))
            .collect();
        Self { list, by_oid }
    }

    /// The object with this OID.
    pub fn get(&self, oid: Oid) -> Option<&T> {
        self.by_oid.get(&oid).map(|&index| &self.list[index])
    }

    /// The object with this OID, to fill it in while loading.
    pub(super) fn get_mut(&mut self, oid: Oid) -> Option<&mut T> {
        self.by_oid.get(&oid).map(|&index| &mut self.list[index])
    }

    /// Fills in every object while loading.
    pub(super) fn for_each_mut(&mut self, fill: impl FnMut(&mut T)) {
        self.list.iter_mut().for_each(fill);
    }
}

impl<T> Deref for Objects<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.list
    }
}

impl<'a, T> IntoIterator for &'a Objects<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl<T: Serialize> Serialize for Objects<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.list.serialize(serializer)
    }
}

impl<'de, T: Named + Deserialize<'de>> Deserialize<'de> for Objects<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::new)
    }
}
