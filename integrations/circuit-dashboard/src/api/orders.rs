//! The orders of operators.

use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use bytes::Buf;
use circuit_runtime::registry;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::timeout;
use tracing::{info, warn};

use super::breakers::not_found;
use crate::access::order_refusal;
use crate::body::Body;
use crate::dashboard::Dashboard;
use crate::moment;
use crate::orders::{self, Action, Invalid, Order};
use crate::overview::{self, Member};
use crate::reply;
use crate::settings::SCHEMA;

/// The largest body of an order, in bytes.
const MAX_BODY: usize = 4096;

/// How long the body of an order may take to arrive.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// The refusal of an order, as the log and the response name it.
struct Refusal {
    response: Response<Body>,
    message: String,
    /// The one who gave the order, if that is known.
    actor: Option<String>,
}

impl Refusal {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            response: reply::error(status, &message),
            message,
            actor: None,
        }
    }
}

/// Carries out an order to the breakers of this name, or denies it. Either is logged.
pub(crate) async fn respond<B: http_body::Body>(
    dashboard: &Dashboard,
    parts: &Parts,
    body: B,
    name: String,
    order: Order,
) -> Response<Body> {
    if let Err(refusal) = may_order(dashboard, &parts.headers) {
        log_denied(&name, order, None, &refusal);
        return refusal.response;
    }
    let action = match read(&parts.headers, body).await {
        Ok(body) => orders::read(name.clone(), order, &body).map_err(invalid),
        Err(response) => Err(response),
    };
    let action = match action {
        Ok(action) => action,
        Err(response) => return response,
    };
    match decide(dashboard, parts, &action) {
        Ok(response) | Err(Refused::Unknown(response)) => response,
        Err(Refused::Denied(refusal)) => {
            log_denied(&name, order, Some(action.reason()), &refusal);
            refusal.response
        }
    }
}

/// Checks who may give any order at all.
fn may_order(dashboard: &Dashboard, headers: &HeaderMap) -> Result<(), Refusal> {
    let settings = &dashboard.settings;
    if settings
        .token
        .as_ref()
        .is_some_and(|token| !token.is_in(headers))
    {
        return Err(Refusal {
            response: reply::unauthorized(),
            message: "no token, or a wrong one".to_owned(),
            actor: None,
        });
    }
    if let Some(reason) = order_refusal(headers, settings.token.is_some()) {
        return Err(Refusal::new(StatusCode::FORBIDDEN, reason));
    }
    if !settings.takes_orders() {
        let message = "the dashboard is read-only; the program allows orders by `controls(..)`";
        return Err(Refusal::new(StatusCode::FORBIDDEN, message));
    }
    Ok(())
}

/// Reads the body of a request, which must be JSON and small.
async fn read<B: http_body::Body>(headers: &HeaderMap, body: B) -> Result<Vec<u8>, Response<Body>> {
    if !is_json(headers) {
        let message = "the body of an order is JSON: `Content-Type: application/json`";
        return Err(reply::error(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|it| it.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: u64| length > MAX_BODY as u64) {
        return Err(too_large());
    }
    match timeout(MAX_WAIT, collect(body)).await {
        Ok(collected) => collected,
        Err(_) => Err(reply::error(
            StatusCode::REQUEST_TIMEOUT,
            "the body did not arrive in time; send it again",
        )),
    }
}

async fn collect<B: http_body::Body>(body: B) -> Result<Vec<u8>, Response<Body>> {
    let mut body = pin!(body);
    let mut collected = Vec::new();
    while let Some(frame) = poll_fn(|context| body.as_mut().poll_frame(context)).await {
        let Ok(frame) = frame else {
            let message = "the body broke off; send it again";
            return Err(reply::error(StatusCode::BAD_REQUEST, message));
        };
        let Ok(mut data) = frame.into_data() else {
            continue;
        };
        if collected.len().saturating_add(data.remaining()) > MAX_BODY {
            return Err(too_large());
        }
        while data.has_remaining() {
            let chunk = data.chunk();
            collected.extend_from_slice(chunk);
            data.advance(chunk.len());
        }
    }
    Ok(collected)
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(content_type), None) = (types.next(), types.next()) else {
        return false;
    };
    let essence = content_type.to_str().unwrap_or_default().split(';').next();
    essence.is_some_and(|it| it.trim().eq_ignore_ascii_case("application/json"))
}

fn too_large() -> Response<Body> {
    let message = format!("the body of an order has at most {MAX_BODY} bytes");
    reply::error(StatusCode::PAYLOAD_TOO_LARGE, &message)
}

fn invalid(invalid: Invalid) -> Response<Body> {
    match invalid {
        Invalid::Syntax => reply::error(
            StatusCode::BAD_REQUEST,
            "the body is no JSON; write `{\"reason\": \"..\", \"seconds\": 900}`",
        ),
        Invalid::Fields { message, missing } => reply::unprocessable(&message, &missing),
    }
}

enum Refused {
    /// There is no such breaker.
    Unknown(Response<Body>),
    Denied(Refusal),
}

/// Carries out an order if it is consented to.
fn decide(
    dashboard: &Dashboard,
    parts: &Parts,
    action: &Action,
) -> Result<Response<Body>, Refused> {
    let breakers = registry::find_all(action.breaker());
    if breakers.is_empty() {
        return Err(Refused::Unknown(no_breakers(dashboard, action.breaker())));
    }
    let actor = dashboard.settings.decide(parts, action).map_err(|denied| {
        Refused::Denied(Refusal::new(StatusCode::FORBIDDEN, denied.to_string()))
    })?;
    dashboard.shared.limit.take().map_err(|time| {
        let message = "ten orders were given within a minute; wait before you give another one";
        Refused::Denied(Refusal {
            response: reply::retry_after(StatusCode::TOO_MANY_REQUESTS, message, time),
            message: message.to_owned(),
            actor: Some(actor.to_string()),
        })
    })?;

    let book = &dashboard.shared.book;
    let actor = actor.into_name();
    // Before it is carried out, so that a reader of the hold finds its reason.
    book.add(action.clone(), actor.clone());
    for breaker in &breakers {
        action.carry_out(breaker);
    }
    let seconds = action.time().map(|time| time.as_secs_f64());
    info!(
        breaker = action.breaker(),
        action = action.order().as_str(),
        actor,
        reason = action.reason(),
        seconds,
        "order carried out"
    );
    let members = breakers.iter().map(|breaker| Member::new(breaker, book));
    let members: Vec<Value> = members.map(|it| it.to_json_alone()).collect();
    Ok(reply::json(json!({
        "schema": SCHEMA,
        "now": moment::now(),
        "breaker": action.breaker(),
        "action": action.order().as_str(),
        "actor": actor,
        "reason": action.reason(),
        "seconds": seconds,
        "breakers": members,
    })))
}

/// Returns the response to an order for which there are no breakers.
fn no_breakers(dashboard: &Dashboard, name: &str) -> Response<Body> {
    match overview::find(name, &dashboard.shared.book) {
        Some((entry, _)) if entry.is_keyed() => {
            let message = format!(
                "`{name}` has a breaker for each key; give the order to one of them, such as \
                 `{name}[key]`"
            );
            reply::unprocessable(&message, &["key"])
        }
        Some(_) => {
            let message = format!("`{name}` has no breaker before its first call");
            reply::error(StatusCode::NOT_FOUND, &message)
        }
        None => not_found(name),
    }
}

fn log_denied(name: &str, order: Order, reason: Option<&str>, refusal: &Refusal) {
    warn!(
        breaker = name,
        action = order.as_str(),
        actor = refusal.actor,
        reason,
        denied = refusal.message,
        "order denied"
    );
}
