//! The history, and the stream.

use std::time::Duration;

use http::{HeaderMap, Response, StatusCode};
use serde_json::{Value, json};

use crate::body::Body;
use crate::dashboard::Dashboard;
use crate::history::{self, Id, Numbered};
use crate::moment;
use crate::reply;
use crate::router::parameter;
use crate::settings::SCHEMA;
use crate::stream::{self, TooManyStreams};

/// When a client may try again that found too many streams.
const STREAMS_RETRY: Duration = Duration::from_secs(5);

/// Responds with the changes after the one that the query names, or all that are kept.
pub(crate) fn list(query: Option<&str>) -> Response<Body> {
    let after = parameter(query, "after").filter(|after| !after.is_empty());
    let from = match after.as_deref().map(Id::parse) {
        Some(Some(Id::Number(number))) => Some(number.saturating_add(1)),
        Some(Some(Id::OtherRun)) | None => None,
        Some(None) => {
            let message = "`after` is the `id` of a change, such as `18c1f2a07b3d-17`";
            return reply::error(StatusCode::BAD_REQUEST, message);
        }
    };
    let (missed, changes) = history::read_from(from.unwrap_or(0));
    let changes: Vec<Value> = changes.iter().map(Numbered::to_json).collect();
    reply::json(json!({
        "schema": SCHEMA,
        "now": moment::now(),
        // All that are kept were asked for: none of them is missing.
        "missed": if from.is_some() { missed } else { 0 },
        "changes": changes,
    }))
}

/// Responds with a stream of events.
pub(crate) fn stream(dashboard: &Dashboard, headers: &HeaderMap) -> Response<Body> {
    // One that is malformed, or of another run, is as good as none.
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let last = match last.and_then(Id::parse) {
        Some(Id::Number(number)) => Some(number),
        Some(Id::OtherRun) | None => None,
    };
    let shared = &dashboard.shared;
    match stream::join(&dashboard.hub, &dashboard.settings, &shared.book, last) {
        Ok(client) => reply::stream(client),
        Err(TooManyStreams) => reply::retry_after(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many streams are open; close a page, or try again",
            STREAMS_RETRY,
        ),
    }
}
