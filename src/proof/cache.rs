//! Each tree is lowered once, however many policies have it.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::lower::{Context, Lowered, lower};
use super::symbols::Tree;

/// Lowered trees, by the hash of what they say.
#[derive(Debug, Default)]
pub(crate) struct Lowerings {
    known: HashMap<u64, Vec<(Tree, Arc<Lowered>)>>,
    /// How many numbers were given out.
    ids: usize,
}

impl Lowerings {
    /// The tree, lowered: now, or when one like it was first asked for.
    pub(crate) fn get(&mut self, context: Context<'_>, tree: &Tree) -> Arc<Lowered> {
        let mut hasher = DefaultHasher::new();
        without_locations(tree.as_str()).for_each(|part| part.hash(&mut hasher));
        let alike = self.known.entry(hasher.finish()).or_default();
        let known = alike.iter().find(|(known, _)| {
            known == tree || without_locations(known.as_str()).eq(without_locations(tree.as_str()))
        });
        if let Some((_, lowered)) = known {
            return Arc::clone(lowered);
        }
        self.ids += 1;
        let lowered = Arc::new(lower(context, tree.as_str(), self.ids));
        alike.push((tree.clone(), Arc::clone(&lowered)));
        lowered
    }

    /// A number for something that was put together from them.
    pub(crate) fn next_id(&mut self) -> usize {
        self.ids += 1;
        self.ids
    }
}

/// A tree in parts, without where each node stood in the statement's text: up to PostgreSQL 17 that is stored, and
/// differs between statements that say the same. A name cannot look like such a field, since its blanks are escaped.
fn without_locations(tree: &str) -> impl Iterator<Item = &str> {
    tree.split(":location ").enumerate().map(|(nth, part)| match nth {
        0 => part,
        _ => part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-'),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_node_stood_does_not_matter_and_all_else_does() {
        let parts = |tree| without_locations(tree).collect::<Vec<_>>();
        assert_eq!(
            parts("{A :location 12} {B :location -1}"),
            parts("{A :location 7} {B :location 345}")
        );
        assert_ne!(
            parts("{A :varno 1 :location 12}"),
            parts("{A :varno 2 :location 12}")
        );
    }
}
