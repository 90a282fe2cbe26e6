//! Where the public log stands, and the hashes of its tree.
//!
//! The tree is kept in tiles: rows of 256 hashes, of every eighth level only. The levels between follow from them, so a group
//! of releases costs one or two rows and not two rows a leaf.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rubrica_core::merkle::{Frontier, Node, TreeHash};

use super::row::{signed, size};
use super::{Connection, StoreError, params};

const TILE_LEVELS: u8 = 8;
const TILE_HASHES: u64 = 1 << TILE_LEVELS;
const HASH_BYTES: usize = 32;

/// What is known of the log without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Events with a sequence; the last one has this.
    pub(crate) events: u64,
    /// Leaves of the tree of receipts.
    pub(crate) leaves: u64,
    /// Whether events wait for the relay.
    pub(crate) waiting: bool,
}

/// Reads where the log stands.
pub(crate) fn standing(connection: &Connection) -> Result<Standing, StoreError> {
    let sql =
        "SELECT events, leaves, (SELECT count(*) FROM (SELECT 1 FROM outbox LIMIT 1) AS waiting) FROM log";
    let found = connection.query_one(sql, &[], |row| {
        Ok(Standing {
            events: size("log.events", row.get(0)?)?,
            leaves: size("log.leaves", row.get(1)?)?,
            waiting: row.get::<i64>(2)? > 0,
        })
    })?;
    found.ok_or(StoreError::Damaged { column: "log.id" })
}

/// Remembers the key of the log, or gives the one that it has already.
pub(crate) fn claim_key(connection: &Connection, key: &str) -> Result<String, StoreError> {
    connection.execute("UPDATE log SET key = ?1 WHERE key IS NULL", params![key])?;
    let known = connection.query_one("SELECT key FROM log", &[], |row| row.get(0))?;
    known.ok_or(StoreError::Damaged { column: "log.key" })
}

/// The end of the log, locked by this transaction: it is the relay until it commits.
#[derive(Debug)]
pub(super) struct End {
    pub(super) events: u64,
    frontier: Frontier,
    /// Every complete subtree that is known here: the peaks, and what was appended.
    known: HashMap<Node, TreeHash>,
    /// Hashes to be added to tiles, by level and index.
    appended: BTreeMap<(u8, u64), TreeHash>,
}

impl End {
    /// Waits for the lock and reads.
    pub(super) fn lock(connection: &Connection) -> Result<Self, StoreError> {
        let sql = "SELECT events, leaves, peaks FROM log WHERE id = 1 FOR UPDATE";
        let found = connection.query_one(sql, &[], |row| {
            let leaves = size("log.leaves", row.get(1)?)?;
            let known = peaks(leaves, &row.get::<Option<Vec<u8>>>(2)?.unwrap_or_default())?;
            let frontier = Frontier::load(leaves, |node| known.get(&node).copied())
                .map_err(|_| StoreError::Damaged { column: "log.peaks" })?;
            let events = size("log.events", row.get(0)?)?;
            Ok(Self { events, frontier, known, appended: BTreeMap::new() })
        })?;
        found.ok_or(StoreError::Damaged { column: "log.id" })
    }

    pub(super) const fn leaves(&self) -> u64 {
        self.frontier.size()
    }

    pub(super) fn append(&mut self, leaf: TreeHash) {
        let (known, appended) = (&mut self.known, &mut self.appended);
        self.frontier.append(leaf, |node, hash| {
            known.insert(node, hash);
            if node.level.is_multiple_of(TILE_LEVELS) {
                appended.insert((node.level / TILE_LEVELS, node.index), hash);
            }
        });
    }

    /// Writes what was appended, and the new end.
    pub(super) fn save(self, connection: &Connection) -> Result<(), StoreError> {
        let mut tiles: BTreeMap<(u8, u64), Vec<u8>> = BTreeMap::new();
        for ((level, index), hash) in &self.appended {
            let key = (*level, index / TILE_HASHES);
            let tile = match tiles.get_mut(&key) {
                Some(tile) => tile,
                None => {
                    let before = if index % TILE_HASHES == 0 { None } else { tile(connection, key)? };
                    tiles.entry(key).or_insert(before.unwrap_or_default())
                }
            };
            if tile.len() as u64 != index % TILE_HASHES * HASH_BYTES as u64 {
                return Err(StoreError::Damaged { column: "log_tile.hashes" });
            }
            tile.extend_from_slice(hash.as_bytes());
        }
        for ((level, tile), hashes) in &tiles {
            connection.execute(
                "INSERT INTO log_tile (level, tile, hashes) VALUES (?1, ?2, ?3)
                 ON CONFLICT (level, tile) DO UPDATE SET hashes = excluded.hashes",
                params![i64::from(*level), signed(*tile), hashes],
            )?;
        }
        let peaks: Vec<u8> = Frontier::nodes(self.leaves())
            .iter()
            .flat_map(|node| self.known[node].as_bytes().iter().copied())
            .collect();
        let changed = connection.execute(
            "UPDATE log SET events = ?1, leaves = ?2, peaks = ?3 WHERE id = 1",
            params![signed(self.events), signed(self.leaves()), peaks],
        )?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Damaged { column: "log.id" }) }
    }
}

/// Everything that the log says of itself, for an audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) events: u64,
    pub(crate) leaves: u64,
    /// `None` when what is kept is no tree of this size.
    pub(crate) root: Option<TreeHash>,
    pub(crate) key: Option<String>,
}

/// Reads what the log says of itself.
pub(crate) fn state(connection: &Connection) -> Result<State, StoreError> {
    let sql = "SELECT events, leaves, peaks, key FROM log WHERE id = 1";
    let found = connection.query_one(sql, &[], |row| {
        let leaves = size("log.leaves", row.get(1)?)?;
        let root = peaks(leaves, &row.get::<Option<Vec<u8>>>(2)?.unwrap_or_default())
            .ok()
            .and_then(|known| Some(Frontier::load(leaves, |node| known.get(&node).copied()).ok()?.root()));
        Ok(State { events: size("log.events", row.get(0)?)?, leaves, root, key: row.get(3)? })
    })?;
    found.ok_or(StoreError::Damaged { column: "log.id" })
}

/// The root of the whole tree, with its size.
pub(crate) fn root(connection: &Connection) -> Result<(u64, TreeHash), StoreError> {
    let found = connection.query_one("SELECT leaves, peaks FROM log WHERE id = 1", &[], |row| {
        let leaves = size("log.leaves", row.get(0)?)?;
        let known = peaks(leaves, &row.get::<Option<Vec<u8>>>(1)?.unwrap_or_default())?;
        let frontier = Frontier::load(leaves, |node| known.get(&node).copied())
            .map_err(|_| StoreError::Damaged { column: "log.peaks" })?;
        Ok((leaves, frontier.root()))
    })?;
    found.ok_or(StoreError::Damaged { column: "log.id" })
}

fn peaks(leaves: u64, bytes: &[u8]) -> Result<HashMap<Node, TreeHash>, StoreError> {
    let nodes = Frontier::nodes(leaves);
    let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
    if hashes.len() != nodes.len() || !rest.is_empty() {
        return Err(StoreError::Damaged { column: "log.peaks" });
    }
    Ok(nodes.into_iter().zip(hashes.iter().map(|hash| TreeHash::from_bytes(*hash))).collect())
}

/// The hashes of these nodes; one whose tile is not there, or ends before it, is left out.
pub(crate) fn nodes(connection: &Connection, wanted: &[Node]) -> Result<HashMap<Node, TreeHash>, StoreError> {
    let of = |node: &Node| {
        let first = node.index << (node.level % TILE_LEVELS);
        ((node.level / TILE_LEVELS, first / TILE_HASHES), first % TILE_HASHES)
    };
    let keys: BTreeSet<_> = wanted.iter().map(|node| of(node).0).collect();
    let mut tiles = HashMap::new();
    for key in keys {
        if let Some(hashes) = tile(connection, key)? {
            tiles.insert(key, hashes);
        }
    }
    let hash = |node: &Node| {
        let (key, offset) = of(node);
        let (hashes, _) = tiles.get(&key)?.as_chunks::<HASH_BYTES>();
        let offset = usize::try_from(offset).ok()?;
        let covered = hashes.get(offset..offset + (1 << (node.level % TILE_LEVELS)))?;
        Some(fold(covered.iter().map(|hash| TreeHash::from_bytes(*hash)).collect()))
    };
    Ok(wanted.iter().filter_map(|node| Some((*node, hash(node)?))).collect())
}

/// The root over a power of two of hashes.
fn fold(mut hashes: Vec<TreeHash>) -> TreeHash {
    while hashes.len() > 1 {
        hashes = hashes.chunks(2).map(|pair| TreeHash::of_node(&pair[0], &pair[1])).collect();
    }
    hashes[0]
}

/// The row of hashes that a node is in; `None` when its level is not kept.
pub(crate) const fn tile_of(node: Node) -> Option<(u8, u64)> {
    if node.level.is_multiple_of(TILE_LEVELS) {
        Some((node.level / TILE_LEVELS, node.index / TILE_HASHES))
    } else {
        None
    }
}

/// A row of hashes, 32 bytes each.
pub(crate) fn tile(connection: &Connection, (level, tile): (u8, u64)) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = "SELECT hashes FROM log_tile WHERE level = ?1 AND tile = ?2";
    connection.query_one(sql, params![i64::from(level), signed(tile)], |row| row.get(0))
}
