//! Reading the columns of one row in the order of the query's select list, and storing repeated text once.

use std::collections::HashSet;

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use super::Text;
use crate::error::{Error, Result};

/// A row, read column by column.
pub(super) struct Fields<'r, 's> {
    row: &'r Row,
    next: usize,
    /// The query's name, for errors.
    query: &'static str,
    strings: &'s mut Strings,
}

impl<'r, 's> Fields<'r, 's> {
    pub(super) fn new(query: &'static str, row: &'r Row, strings: &'s mut Strings) -> Self {
        Self {
            row,
            next: 0,
            query,
            strings,
        }
    }

    /// The next column.
    pub(super) fn take<T: FromSql<'r>>(&mut self) -> Result<T> {
        let index = self.next;
        self.next += 1;
        self.row.try_get(index).map_err(|cause| {
            Error::new(
                crate::ErrorKind::Internal,
                format!(
                    "failed to read column {} of the catalog query {}",
                    index + 1,
                    self.query
                ),
            )
            .caused_by(cause)
        })
    }

    /// The next column, a "char".
    pub(super) fn letter(&mut self) -> Result<char> {
        let byte: i8 = self.take()?;
        Ok(char::from(byte.cast_unsigned()))
    }

    /// A text that was read, stored once.
    pub(super) fn share(&mut self, text: &str) -> Text {
        self.strings.share(text)
    }

    /// The next column, as shared text.
    pub(super) fn text(&mut self) -> Result<Text> {
        let text: &str = self.take()?;
        Ok(self.strings.share(text))
    }

    /// The next column, as shared text, or NULL.
    pub(super) fn optional_text(&mut self) -> Result<Option<Text>> {
        let text: Option<&str> = self.take()?;
        Ok(text.map(|text| self.strings.share(text)))
    }
}

/// Every distinct text once.
#[derive(Default)]
pub(super) struct Strings(HashSet<Text>);

impl Strings {
    pub(super) fn share(&mut self, text: &str) -> Text {
        if let Some(shared) = self.0.get(text) {
            return Text::clone(shared);
        }
        let shared = Text::from(text);
        self.0.insert(Text::clone(&shared));
        shared
    }
}
