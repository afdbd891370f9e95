//! The breakers: all of them, and those of one name in detail.

use std::sync::Arc;

use circuit_runtime::StateChange;
use http::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::body::Body;
use crate::dashboard::Dashboard;
use crate::history::{self, Numbered};
use crate::moment;
use crate::orders::{Book, Record};
use crate::overview::{self, Filter, Member, Overview};
use crate::reply;
use crate::router::parameter;
use crate::settings::{SCHEMA, Settings};

/// Responds with all breakers that match the query.
pub(crate) async fn list(dashboard: &Dashboard, query: Option<&str>) -> Response<Body> {
    let (state, part) = (parameter(query, "state"), parameter(query, "q"));
    let filter = match Filter::parse(state.as_deref(), part.as_deref()) {
        Ok(filter) => filter,
        Err(word) => {
            let message = format!(
                "`{word}` is no state; `state` is one or several of `closed`, `half-open`, `open`, \
                 `idle` and `held`, with commas between"
            );
            return reply::error(StatusCode::BAD_REQUEST, &message);
        }
    };
    let (settings, book) = parts(dashboard);
    // Many breakers take milliseconds, in which the server has other work.
    let list = spawn_blocking(move || {
        let last_change = history::last_id();
        let mut fields = Overview::take(&book, &filter).to_json();
        fields.extend(settings.to_json());
        fields.insert("last_change".to_owned(), last_change.into());
        reply::json(fields)
    });
    list.await.unwrap_or_else(|_| unread())
}

/// Responds with the breakers of one name.
pub(crate) async fn detail(dashboard: &Dashboard, name: String) -> Response<Body> {
    let (settings, book) = parts(dashboard);
    let detail = spawn_blocking(move || match detail_of(&name, &settings, &book) {
        Some(detail) => reply::json(detail),
        None => not_found(&name),
    });
    detail.await.unwrap_or_else(|_| unread())
}

fn detail_of(name: &str, settings: &Settings, book: &Book) -> Option<Value> {
    let (entry, breakers) = overview::find(name, book)?;
    let is_keyed = entry.is_keyed();
    let is_of_name = |change: &StateChange| {
        let breaker = &change.breaker;
        *breaker == *name || is_keyed && breaker.function() == name
    };
    let (_, changes) = history::read_from(0);
    let changes = changes.iter().rev().filter(|it| is_of_name(&it.change));
    let changes: Vec<_> = changes.map(Numbered::to_json).collect();
    let orders = book.latest(|breaker| {
        let key = breaker.strip_prefix(name).filter(|_| is_keyed);
        breaker == name || key.is_some_and(|key| key.starts_with('[') && key.ends_with(']'))
    });
    let orders: Vec<_> = orders.iter().map(Record::to_json).collect();
    let breakers: Vec<_> = breakers.iter().map(Member::to_json_alone).collect();
    Some(json!({
        "schema": SCHEMA,
        "now": moment::now(),
        "controls": settings.takes_orders(),
        "entry": entry.to_json(),
        "breakers": breakers,
        "changes": changes,
        "orders": orders,
    }))
}

pub(super) fn not_found(name: &str) -> Response<Body> {
    let message = format!("no breaker in use is called `{name}`");
    reply::error(StatusCode::NOT_FOUND, &message)
}

fn unread() -> Response<Body> {
    let message = "the breakers could not be read; try again";
    reply::error(StatusCode::INTERNAL_SERVER_ERROR, message)
}

fn parts(dashboard: &Dashboard) -> (Arc<Settings>, Arc<Book>) {
    let (settings, book) = (&dashboard.settings, &dashboard.shared.book);
    (Arc::clone(settings), Arc::clone(book))
}
