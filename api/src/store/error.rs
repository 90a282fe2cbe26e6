//! What can go wrong in the store, by what the caller can do.

use rubrica_core::wire::SignatureState;

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum StoreError {
    /// The row is not in the state that the change starts from; somebody else was faster.
    #[error("the signature is not `{}` any more", .expected.as_str())]
    StateConflict {
        /// The state that was expected.
        expected: SignatureState,
    },
    /// A row holds what this version cannot have written.
    #[error("column {column} of the database is damaged")]
    Damaged {
        /// Table and column.
        column: &'static str,
    },
    /// The database refused or could not be written.
    #[error("database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The group's commit failed; nothing of it was kept.
    #[error("the commit failed: {0}")]
    Commit(String),
    /// The process is stopping.
    #[error("the store has stopped")]
    Stopped,
}
