//! Proofs of doors: which of the model's doors the policies themselves decide, and what was found where they do not
//! keep the border.
//!
//! Works on the catalog alone, so that it needs no query of its own and decides the same offline.

mod ask;
mod judge;

use std::collections::BTreeMap;

use ask::Asker;
use judge::judge;

use crate::catalog::Catalog;
use crate::model::Model;
use crate::proof::{Counterexample, Prover, Symbols};

/// What the policies say about one door.
#[derive(Debug)]
pub(crate) enum Decision {
    /// They keep the border, for this reason.
    Proven(String),
    /// They do not: here is a row and a session.
    Refuted(Box<Counterexample>),
    /// Neither is certain, because of this.
    Undecided(String),
}

impl Decision {
    /// On Citus the policies that count are those of the shards. They are not read here, and Citus makes them without
    /// AS RESTRICTIVE: what this node's policies prove is not known of them.
    fn doubt_shards(&mut self) {
        if matches!(self, Self::Proven(_)) {
            let reason = "not proven: on Citus the policies of the shards decide, which were not read";
            *self = Self::Undecided(reason.to_owned());
        }
    }
}

/// What the policies say about the model's doors, by the door's place in the model. Doors that no policy guards are
/// missing.
#[derive(Debug, Default)]
pub(crate) struct Proofs {
    decisions: BTreeMap<usize, Decision>,
}

impl Proofs {
    /// Decides what can be decided.
    pub(crate) fn new(catalog: &Catalog, model: &Model) -> Self {
        let symbols = Symbols::of(catalog);
        let mut decisions = BTreeMap::new();
        for role in &model.roles {
            // Row security does not hold it, which is a finding on the role.
            if role.total_escape(&model.tables).is_some() {
                continue;
            }
            let Some(session) = ask::session(catalog, model, role) else {
                continue;
            };
            let mut asker = Asker::new(catalog, model, role, Prover::new(&symbols, session));
            asker.learn_parents();
            for (index, door) in model
                .doors
                .iter()
                .enumerate()
                .filter(|(_, door)| door.role == role.oid)
            {
                if let Some(decision) = judge(&asker, door) {
                    decisions.insert(index, decision);
                }
            }
        }
        if catalog
            .extensions
            .iter()
            .any(|extension| &*extension.name == "citus")
        {
            decisions.values_mut().for_each(Decision::doubt_shards);
        }
        Self { decisions }
    }

    /// What is known of each door.
    pub(crate) fn decisions(&self) -> impl Iterator<Item = (usize, &Decision)> {
        self.decisions.iter().map(|(index, decision)| (*index, decision))
    }
}
