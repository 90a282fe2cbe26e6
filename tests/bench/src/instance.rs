//! What the shared PostgreSQL server asks of the module beside it.

/// A folder in memory where there is one: we measure ourselves, not the disk.
pub(crate) fn memory_folder() -> tempfile::TempDir {
    crate::token::memory_folder().expect("a temporary folder can be made")
}
