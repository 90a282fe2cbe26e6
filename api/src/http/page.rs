//! Pages of lists: `limit` and `cursor`.

use std::str::FromStr;

use axum::extract::RawQuery;
use rubrica_core::ErrorCode;

use super::documents::parameter;
use super::problem::{ApiError, ApiResult};

/// Entries of a page when the caller names no number, and at most.
const USUAL: u16 = 50;
const MOST: u16 = 200;

/// Which page is asked for. `C` is what a cursor holds: the identifier of the last entry of the page before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page<C> {
    pub(super) limit: u16,
    pub(super) after: Option<C>,
}

impl<C: FromStr> Page<C> {
    /// Reads the query.
    pub(super) fn read(query: &RawQuery) -> ApiResult<Self> {
        let limit = match parameter(query, "limit") {
            None => USUAL,
            Some(text) => text.parse().ok().filter(|limit| (1..=MOST).contains(limit)).ok_or_else(|| {
                ApiError::new(ErrorCode::InvalidRequest, format!("limit is a number from 1 to {MOST}"))
            })?,
        };
        let after = parameter(query, "cursor").map(|text| {
            text.parse().map_err(|_| {
                ApiError::new(ErrorCode::InvalidRequest, "cursor is the `next_cursor` of the page before")
            })
        });
        Ok(Self { limit, after: after.transpose()? })
    }

    /// How many rows to ask for: one more than the page holds tells whether another follows.
    pub(super) fn rows(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// Cuts the row too many off; the cursor of the next page, when there is one.
    pub(super) fn cut<T, Id: ToString>(&self, rows: &mut Vec<T>, id: impl Fn(&T) -> Id) -> Option<String> {
        let more = rows.len() > usize::from(self.limit);
        rows.truncate(self.limit.into());
        rows.last().filter(|_| more).map(|last| id(last).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_bounded_and_knows_whether_another_follows() {
        let read = |query: &str| Page::<u32>::read(&RawQuery(Some(query.to_owned())));
        assert_eq!(read("").unwrap(), Page { limit: 50, after: None });
        assert_eq!(read("limit=3&cursor=7").unwrap(), Page { limit: 3, after: Some(7) });
        for query in ["limit=0", "limit=201", "limit=x", "limit=", "cursor=x", "cursor="] {
            assert_eq!(read(query).unwrap_err().code(), ErrorCode::InvalidRequest, "{query}");
        }
        let page = read("limit=2").unwrap();
        let mut rows = vec![1, 2, 3];
        assert_eq!(page.cut(&mut rows, |row| *row), Some("2".to_owned()));
        assert_eq!(rows, [1, 2]);
        assert_eq!(page.cut(&mut rows, |row| *row), None);
    }
}
