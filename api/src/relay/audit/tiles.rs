//! The rows of hashes as they should be.

use std::collections::BTreeMap;

use rubrica_core::merkle::{Node, TreeHash};

use crate::store::{Connection, StoreError, log};

/// Hashes of the tree by level and row, as the relay writes them.
#[derive(Debug, Default)]
pub(super) struct Tiles(BTreeMap<(u8, u64), Vec<u8>>);

impl Tiles {
    pub(super) fn add(&mut self, node: Node, hash: TreeHash) {
        if let Some((level, tile)) = log::tile_of(node) {
            self.0.entry((level, tile)).or_default().extend_from_slice(hash.as_bytes());
        }
    }

    /// What is wrong with the rows that are there.
    pub(super) fn compare(&self, connection: &Connection) -> Result<Vec<String>, StoreError> {
        let mut problems = Vec::new();
        for ((level, tile), expected) in &self.0 {
            let found = log::tile(connection, (*level, *tile))?.unwrap_or_default();
            // The relay may have added to the last one meanwhile.
            if !found.starts_with(expected) {
                problems.push(format!("row {tile} of level {level} of the tree is not what its leaves make"));
            }
        }
        Ok(problems)
    }
}
