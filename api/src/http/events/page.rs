//! Events behind a place, read in small steps.

use crate::app::App;
use crate::store::events::{self, Wanted};
use crate::store::{Connection, StoreError, log};

/// Transactions that are read at once.
const MOST_ROWS: i64 = 32;
/// Transactions that one page looks through when hardly any event is wanted.
const MOST_LOOKED_AT: i64 = 1024;

/// Some events, as they are told.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Place and type of each, and its JSON.
    pub(super) events: Vec<(u64, String, String)>,
    /// Up to where was looked.
    pub(super) last: u64,
}

impl Page {
    /// Reads up to `limit` wanted events behind `after`.
    pub(super) async fn read(
        app: &App,
        tenant: &str,
        after: u64,
        limit: usize,
        wanted: &Wanted,
    ) -> Result<Self, StoreError> {
        let (tenant, wanted) = (tenant.to_owned(), wanted.clone());
        app.store.read(move |connection| read(connection, &tenant, after, limit, &wanted)).await
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// One event per line.
    pub(super) fn lines(&self) -> String {
        self.events.iter().flat_map(|(_, _, json)| [json.as_str(), "\n"]).collect()
    }
}

fn read(
    connection: &Connection,
    tenant: &str,
    after: u64,
    limit: usize,
    wanted: &Wanted,
) -> Result<Page, StoreError> {
    // Read first: what was in the log then is seen by every query that follows.
    let head = log::standing(connection)?.events;
    let mut page = Page { events: Vec::new(), last: after };
    for _ in 0..MOST_LOOKED_AT / MOST_ROWS {
        let segments = events::segments(connection, tenant, page.last, MOST_ROWS)?;
        let mut moved = false;
        for segment in &segments {
            for (sequence, kept) in segment.events().filter(|(sequence, _)| *sequence > after) {
                if sequence <= page.last {
                    continue;
                }
                let kept = kept?;
                if wanted.includes(kept.event_type) {
                    let json = kept.told(segment.tenant(), sequence);
                    page.events.push((sequence, kept.event_type.to_owned(), json));
                }
                (page.last, moved) = (sequence, true);
                if page.events.len() == limit {
                    return Ok(page);
                }
            }
        }
        if !moved {
            // Nothing of this tenant up to the end: the rest belongs to others.
            page.last = page.last.max(head);
            return Ok(page);
        }
    }
    Ok(page)
}
