//! Query parameters of the list of orders.

use axum::extract::RawQuery;
use percent_encoding::percent_decode_str;
use rubrica_core::{ErrorCode, Timestamp};
use serde::de::DeserializeOwned;

use crate::http::documents::parameter;
use crate::http::problem::{ApiError, ApiResult};
use crate::store::orders::Filter;

/// Which orders are asked for.
pub(super) fn read(query: &RawQuery) -> ApiResult<Filter> {
    let time = |name| word::<Timestamp>(query, name, "a time such as 2027-01-31T12:00:00Z");
    Ok(Filter {
        state: word(query, "state", "`open`, `completed`, `cancelled` or `expired`")?,
        reference: text(query, "reference")?,
        created_after: time("created_after")?,
        created_before: time("created_before")?,
    })
}

fn text(query: &RawQuery, name: &'static str) -> ApiResult<Option<String>> {
    let Some(encoded) = parameter(query, name) else { return Ok(None) };
    let spaced = encoded.replace('+', " ");
    let text = percent_decode_str(&spaced).decode_utf8().map_err(|_| wrong(name, "percent-encoded UTF-8"))?;
    Ok(Some(text.into_owned()))
}

/// What is a string in JSON.
fn word<T: DeserializeOwned>(query: &RawQuery, name: &'static str, what: &str) -> ApiResult<Option<T>> {
    let read = |text| serde_json::from_value(serde_json::Value::String(text));
    text(query, name)?.map(read).transpose().map_err(|_| wrong(name, what))
}

fn wrong(name: &str, what: &str) -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest, format!("{name} is {what}"))
}

#[cfg(test)]
mod tests {
    use rubrica_core::wire::OrderState;

    use super::*;

    #[test]
    fn filters_are_read_and_nonsense_is_refused() {
        let read = |text: &str| read(&RawQuery(Some(text.to_owned())));
        let filter = read(
            "state=open&reference=a%20b+c&created_after=2027-01-31T12:00:00Z&created_before=2027-02-01T00%3A00%3A00Z",
        );
        let filter = filter.unwrap();
        assert_eq!((filter.state, filter.reference.as_deref()), (Some(OrderState::Open), Some("a b c")));
        let hours = filter.created_before.unwrap().unix_ms() - filter.created_after.unwrap().unix_ms();
        assert_eq!(hours, 12 * 3_600_000);
        for text in ["state=x", "state=", "reference=%FF", "created_after=yesterday", "created_before="] {
            assert_eq!(read(text).unwrap_err().code(), ErrorCode::InvalidRequest, "{text}");
        }
    }
}
