//! What can go wrong in the store, by what the caller can do.

use std::io;

use rubrica_core::ErrorCode;
use rubrica_core::wire::SignatureState;
use rusqlite::ErrorCode as SqliteCode;

use crate::failure::Failure;

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
    /// The order, or the participant's place in it, does not allow the change.
    #[error("{detail}")]
    OrderConflict {
        /// What stands against it; for the caller.
        detail: String,
    },
    /// Another worker has the task: whatever this one still wants to write is void.
    #[error("the lease of the task is lost")]
    LeaseLost,
    /// The batch is not in a state that allows the change.
    #[error("the batch is `{}`", .state.as_str())]
    BatchState {
        /// Its state.
        state: rubrica_core::wire::BatchState,
    },
    /// The key is not in a state that allows this: it is used only while it is active.
    #[error("the key is `{}`", .state.as_str())]
    KeyState {
        /// Its state.
        state: rubrica_core::wire::KeyState,
    },
    /// The consent under which the key is kept was withdrawn.
    #[error("the person withdrew the consent under which the key is kept")]
    ConsentWithdrawn,
    /// A row holds what this version cannot have written.
    #[error("column {column} of the database is damaged")]
    Damaged {
        /// Table and column.
        column: &'static str,
    },
    /// An equal request with the same idempotency key was faster.
    #[error("an equal request was answered meanwhile")]
    Repeated,
    /// A constraint of the schema refused the change: its name, or what SQLite says of it.
    #[error("the constraint {0} refused the change")]
    Constraint(String),
    /// The schema was written by a newer version.
    #[error("the database was written by a newer version")]
    Newer,
    /// The database cannot be reached, is full or cannot be written. Nothing was kept.
    #[error("the database: {0}")]
    Unavailable(String),
    /// The server does not speak TLS, or its certificate is not accepted. Nothing was sent.
    #[error("the connection to the database cannot be protected: {0}")]
    Unprotected(String),
    /// A statement of ours is wrong, or the database is damaged.
    #[error("a statement failed: {0}")]
    Statement(String),
    /// The process is stopping.
    #[error("the store has stopped")]
    Stopped,
}

impl StoreError {
    /// The failure of a start.
    pub(crate) fn on_open(&self, place: &str) -> Failure {
        match self {
            Self::Newer => Failure::new(
                ErrorCode::DataFolderUnknown,
                format!("{place} was written by a newer version"),
                "Use that version, or restore a backup made by this one",
            ),
            Self::Unavailable(cause) => Failure::new(
                ErrorCode::DatabaseUnavailable,
                format!("{place} cannot be opened: {cause}"),
                "Check that it is there, can be reached and written, and has space left",
            ),
            Self::Unprotected(_) => Failure::new(
                ErrorCode::DatabaseUnavailable,
                self.to_string(),
                "Give the server a certificate for the host of store.url and name its authority in store.roots",
            ),
            Self::StateConflict { .. }
            | Self::OrderConflict { .. }
            | Self::LeaseLost
            | Self::KeyState { .. }
            | Self::ConsentWithdrawn
            | Self::BatchState { .. }
            | Self::Damaged { .. }
            | Self::Repeated
            | Self::Constraint(_)
            | Self::Statement(_)
            | Self::Stopped => Failure::new(
                ErrorCode::DataFolderUnknown,
                format!("{place} cannot be used: {self}"),
                "Restore it from a backup",
            ),
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let text = error.to_string();
        match error.sqlite_error_code() {
            Some(SqliteCode::ConstraintViolation) => Self::Constraint(text),
            Some(
                SqliteCode::DiskFull
                | SqliteCode::SystemIoFailure
                | SqliteCode::CannotOpen
                | SqliteCode::ReadOnly
                | SqliteCode::PermissionDenied
                | SqliteCode::DatabaseBusy
                | SqliteCode::DatabaseLocked
                | SqliteCode::OutOfMemory,
            ) => Self::Unavailable(text),
            _ => Self::Statement(text),
        }
    }
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(database) = error.as_db_error() else {
            let cause = std::error::Error::source(&error);
            let text = format!("{error}{}", cause.map(|cause| format!(": {cause}")).unwrap_or_default());
            // The kind is private; its text is all there is. A connection that breaks off is no matter of trust.
            let broken = cause.and_then(|cause| cause.downcast_ref::<io::Error>()).is_some_and(|cause| {
                !matches!(cause.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput)
            });
            let is_handshake = text.starts_with("error performing TLS handshake");
            return if is_handshake && !broken { Self::Unprotected(text) } else { Self::Unavailable(text) };
        };
        let text = format!("{} ({})", database.message(), database.code().code());
        // The class is the first two characters (PostgreSQL, appendix A): connection, resources, operator's intervention,
        // system error, rolled back for another's sake; locks that were waited for too long.
        match &database.code().code()[..2] {
            "23" => Self::Constraint(database.constraint().unwrap_or(database.message()).to_owned()),
            "08" | "28" | "3D" | "40" | "53" | "55" | "57" | "58" => Self::Unavailable(text),
            _ => Self::Statement(text),
        }
    }
}
