//! Reads the whole public log again and finds what was changed in it.
//!
//! The tree is built anew from the records of releases and compared with everything that was signed or kept about it. A log that
//! was shortened together with its checkpoints is only found by a checkpoint that was kept elsewhere.

mod tiles;

use std::collections::{BTreeMap, HashMap};

use rubrica_core::Timestamp;
use rubrica_core::merkle::{Frontier, TreeHash};
use rubrica_core::receipt::{Checkpoint, LogKey, ReleaseRecord};
use serde::Serialize;
use serde_json::Value;

use crate::hex;
use crate::store::checkpoints;
use crate::store::events::{AuditRow, Kept, audit_rows};
use crate::store::{Connection, StoreError, log, receipts};
use tiles::Tiles;

/// Transactions that are read at once.
const PAGE: i64 = 64;
/// Findings that are told; the rest are counted.
const MOST_TOLD: usize = 100;

/// What came of it.
///
/// **Shape**: JSON, snake_case.
#[derive(Debug, Default, Serialize)]
pub(crate) struct AuditReport {
    /// Events that were read.
    pub(crate) events: u64,
    /// Leaves of the tree.
    pub(crate) leaves: u64,
    /// Root of the tree, standard base64.
    pub(crate) root: String,
    /// Checkpoints that were verified.
    pub(crate) checkpoints: u64,
    /// How many things are wrong.
    pub(crate) problems: u64,
    /// The first of them.
    pub(crate) findings: Vec<String>,
}

impl AuditReport {
    fn problem(&mut self, what: String) {
        self.problems += 1;
        if self.findings.len() < MOST_TOLD {
            self.findings.push(what);
        }
    }
}

/// Audits the log as it stands now. `kept` are checkpoints from elsewhere.
pub(crate) fn audit(
    connection: &Connection,
    key: &LogKey,
    kept: &[Checkpoint],
) -> Result<AuditReport, StoreError> {
    // In this order: what is read later has grown at most.
    let last_checkpoint = checkpoints::latest(connection)?.map(|checkpoint| checkpoint.size);
    let state = log::state(connection)?;
    let mut audit = Audit {
        connection,
        key,
        kept: kept.iter().map(|checkpoint| (checkpoint.size, checkpoint.root)).collect(),
        checkpoints: Checkpoints { rows: Vec::new().into_iter(), after: None, next: None },
        frontier: Frontier::new(),
        tiles: Tiles::default(),
        next: 1,
        report: AuditReport::default(),
    };
    if state.key.as_deref().is_some_and(|known| known != key.to_string()) {
        audit.report.problem("the database names another key of the log".to_owned());
    }
    audit.compare_checkpoints()?;
    loop {
        let rows = audit_rows(connection, audit.next, state.events, PAGE)?;
        if rows.is_empty() {
            break;
        }
        audit.page(&rows)?;
    }
    let Audit { mut report, frontier, tiles, next, kept, mut checkpoints, .. } = audit;
    report.events = next - 1;
    (report.leaves, report.root) = (frontier.size(), frontier.root().to_base64());
    if report.events != state.events {
        report.problem(format!("{} events are there, and {} were", report.events, state.events));
    }
    if (frontier.size(), Some(frontier.root())) != (state.leaves, state.root) {
        report.problem(format!(
            "the tree over {} records is not the one of {} leaves that is kept",
            frontier.size(),
            state.leaves
        ));
    }
    for problem in tiles.compare(connection)? {
        report.problem(problem);
    }
    while let Some(size) = checkpoints.next_size(connection)?.filter(|size| Some(*size) <= last_checkpoint) {
        report.problem(format!("{size} leaves were signed, and {} are there", frontier.size()));
        checkpoints.next = None;
    }
    for size in kept.keys().filter(|size| **size > frontier.size()) {
        report.problem(format!("{size} leaves were signed elsewhere, and {} are there", frontier.size()));
    }
    for id in receipts::released_without_event(connection, 10)? {
        report.problem(format!("the release of {id} is not in the log"));
    }
    Ok(report)
}

struct Audit<'a> {
    connection: &'a Connection,
    key: &'a LogKey,
    kept: BTreeMap<u64, TreeHash>,
    checkpoints: Checkpoints,
    frontier: Frontier,
    tiles: Tiles,
    /// Sequence that comes next.
    next: u64,
    report: AuditReport,
}

/// The checkpoints of the database, the smallest first, a page at a time.
struct Checkpoints {
    rows: std::vec::IntoIter<checkpoints::CheckpointRow>,
    after: Option<u64>,
    next: Option<checkpoints::CheckpointRow>,
}

impl Checkpoints {
    fn next_size(&mut self, connection: &Connection) -> Result<Option<u64>, StoreError> {
        if self.next.is_none() {
            self.next = self.rows.next();
        }
        if self.next.is_none() {
            self.rows = checkpoints::after(connection, self.after, 1000)?.into_iter();
            self.next = self.rows.next();
        }
        let size = self.next.as_ref().map(|checkpoint| checkpoint.size);
        self.after = size.or(self.after);
        Ok(size)
    }
}

impl Audit<'_> {
    fn page(&mut self, rows: &[AuditRow]) -> Result<(), StoreError> {
        let ids: Vec<String> = rows
            .iter()
            .flat_map(AuditRow::records)
            .filter_map(|record| ReleaseRecord::parse(record).ok())
            .map(|record| record.signature_id)
            .collect();
        let signatures = receipts::released(self.connection, &ids)?;
        for row in rows {
            self.row(row, &signatures)?;
        }
        Ok(())
    }

    fn row(
        &mut self,
        row: &AuditRow,
        signatures: &HashMap<String, receipts::ReleasedRow>,
    ) -> Result<(), StoreError> {
        if row.sequence != self.next {
            let (from, to) = (self.next, row.sequence);
            self.report.problem(format!("event {from} should follow, and {to} does"));
        }
        if row.first_leaf != self.frontier.size() {
            self.report
                .problem(format!("event {}: its first leaf is not leaf {}", row.sequence, row.first_leaf));
        }
        let (mut events, mut releases) = (0, 0);
        let mut records = row.records();
        for (sequence, line) in (row.sequence..).zip(row.events.split('\n')) {
            events += 1;
            let Ok(event) = Kept::parse(line) else {
                self.report.problem(format!("event {sequence} cannot be read"));
                continue;
            };
            if event.event_type != "signature.released" || row.tenant.is_none() {
                continue;
            }
            releases += 1;
            match records.next().map(ReleaseRecord::parse) {
                Some(Ok(record)) => {
                    if !tells(&event, row.tenant.as_deref(), &record) {
                        self.report.problem(format!("event {sequence} is not what was recorded of it"));
                    }
                    let signature = signatures.get(&record.signature_id);
                    if signature.is_some_and(|signature| !is_of(signature, row.position, &record)) {
                        self.report
                            .problem(format!("{} is not as its release was recorded", record.signature_id));
                    }
                }
                Some(Err(_)) => self.report.problem(format!("the record of event {sequence} cannot be read")),
                None => self.report.problem(format!("event {sequence} has no record")),
            }
        }
        if (events, releases) != (row.count, row.releases) || row.records().count() as u64 != row.releases {
            self.report.problem(format!("event {}: its transaction has lost or got events", row.sequence));
        }
        for record in row.records() {
            let tiles = &mut self.tiles;
            self.frontier.append(ReleaseRecord::leaf_hash(record), |node, hash| tiles.add(node, hash));
            self.compare_checkpoints()?;
        }
        // Goes on behind what was found, whatever should have been there.
        self.next = row.sequence + events.max(1);
        Ok(())
    }

    /// Compares the tree as it is now with what was signed about a tree of this size.
    fn compare_checkpoints(&mut self) -> Result<(), StoreError> {
        let size = self.frontier.size();
        if let Some(root) = self.kept.get(&size)
            && *root != self.frontier.root()
        {
            self.report
                .problem(format!("the tree of {size} leaves is not the one that was signed elsewhere"));
        }
        while self.checkpoints.next_size(self.connection)?.is_some_and(|next| next <= size) {
            let Some(row) = self.checkpoints.next.take() else { break };
            match Checkpoint::open(&row.note, self.key) {
                Ok(signed)
                    if (signed.size, signed.root) == (size, self.frontier.root()) && row.size == size =>
                {
                    self.report.checkpoints += 1;
                }
                Ok(_) => {
                    self.report
                        .problem(format!("the tree of {} leaves is not the one that was signed", row.size));
                }
                Err(error) => self.report.problem(format!("the checkpoint of {} leaves: {error}", row.size)),
            }
        }
        Ok(())
    }
}

/// Whether an event says what its record says.
fn tells(event: &Kept<'_>, tenant: Option<&str>, record: &ReleaseRecord) -> bool {
    let Ok(Value::Object(data)) = serde_json::from_str(event.data.get()) else { return false };
    let Ok(Value::Object(recorded)) = serde_json::to_value(record) else { return false };
    let elsewhere = ["version", "event_id", "tenant", "released_at"];
    let subject = record.order_id.as_ref().or(record.batch_id.as_ref()).unwrap_or(&record.signature_id);
    let released_at: Timestamp = record.released_at;
    recorded.iter().all(|(name, value)| elsewhere.contains(&name.as_str()) || data.get(name) == Some(value))
        && data.keys().all(|name| name == "document_id" || recorded.contains_key(name))
        && event.id == record.event_id
        && event.subject == subject
        && tenant == Some(&record.tenant)
        && event.time == released_at
}

fn is_of(signature: &receipts::ReleasedRow, position: i64, record: &ReleaseRecord) -> bool {
    signature.position == Some(position)
        && signature.artefact_sha256.is_some_and(|sha256| hex::encode(sha256) == record.artefact_sha256)
}

#[cfg(test)]
mod tests;
