//! Where made values come from: one seeded generator, and the canary that marks a tenant's text.

use rand::rngs::{SysRng, Xoshiro256PlusPlus};
use rand::{RngExt, SeedableRng, TryRng};

use crate::error::{Error, ErrorKind, Result};

/// A source of values. The same seed gives the same values.
#[derive(Debug)]
pub(crate) struct Seed {
    generator: Xoshiro256PlusPlus,
}

const LETTERS: &[u8; 26] = b"abcdefghijklmnopqrstuvwxyz";

impl Seed {
    /// A seed from the operating system.
    pub(crate) fn random() -> Result<Self> {
        let mut seed = [0; 8];
        SysRng.try_fill_bytes(&mut seed).map_err(|cause| {
            Error::new(ErrorKind::Internal, "the operating system gave no random bytes").caused_by(cause)
        })?;
        Ok(Self::fixed(u64::from_le_bytes(seed)))
    }

    /// A seed that repeats.
    pub(crate) fn fixed(seed: u64) -> Self {
        Self {
            generator: Xoshiro256PlusPlus::seed_from_u64(seed),
        }
    }

    /// A number in `low..=high`.
    pub(crate) fn number(&mut self, low: u64, high: u64) -> u64 {
        self.generator.random_range(low..=high)
    }

    /// An index below `length`, which is not 0.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        self.generator.random_range(0..length)
    }

    /// Lower-case letters: what nearly every format for names, slugs and codes allows.
    pub(crate) fn letters(&mut self, length: usize) -> String {
        (0..length)
            .map(|_| char::from(LETTERS[self.index(LETTERS.len())]))
            .collect()
    }

    /// Hexadecimal digits.
    pub(crate) fn hex(&mut self, digits: usize) -> String {
        (0..digits)
            .map(|_| char::from(b"0123456789abcdef"[self.index(16)]))
            .collect()
    }
}
