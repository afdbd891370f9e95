//! Responses, each with the headers that keep a browser safe.

use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName,
    REFERRER_POLICY, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use crate::assets::Asset;
use crate::body::Body;
use crate::stream::Client;

/// The headers of every response.
const SAFETY: [(HeaderName, &str); 5] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
         img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

const JSON: &str = "application/json";

pub(crate) fn asset(asset: Asset) -> Response<Body> {
    full(StatusCode::OK, asset.content_type(), asset.text())
}

pub(crate) fn json(value: impl Into<Value>) -> Response<Body> {
    full(StatusCode::OK, JSON, value.into().to_string())
}

pub(crate) fn text(content_type: &'static str, text: String) -> Response<Body> {
    full(StatusCode::OK, content_type, text)
}

pub(crate) fn stream(client: Client) -> Response<Body> {
    let mut response = new(StatusCode::OK, "text/event-stream", Body::stream(client));
    // A proxy that collects a response before it passes it on would never pass on this one.
    let unbuffered = HeaderName::from_static("x-accel-buffering");
    insert(&mut response, unbuffered, HeaderValue::from_static("no"));
    response
}

/// Returns an error: a sentence that says what to do next.
pub(crate) fn error(status: StatusCode, message: &str) -> Response<Body> {
    full(status, JSON, json!({ "error": message }).to_string())
}

/// Returns the error of an order with wrong fields, or without some.
pub(crate) fn unprocessable(message: &str, missing: &[&str]) -> Response<Body> {
    let body = json!({"error": message, "missing": missing});
    full(StatusCode::UNPROCESSABLE_ENTITY, JSON, body.to_string())
}

pub(crate) fn method_not_allowed(allow: &'static str) -> Response<Body> {
    let message = format!("this path takes {allow} alone");
    let mut response = error(StatusCode::METHOD_NOT_ALLOWED, &message);
    insert(&mut response, ALLOW, HeaderValue::from_static(allow));
    response
}

pub(crate) fn unauthorized() -> Response<Body> {
    let message = "a token is needed: `Authorization: Bearer <token>`";
    let mut response = error(StatusCode::UNAUTHORIZED, message);
    let scheme = HeaderValue::from_static("Bearer");
    insert(&mut response, WWW_AUTHENTICATE, scheme);
    response
}

/// Returns an error that ends by itself after this time.
pub(crate) fn retry_after(status: StatusCode, message: &str, time: Duration) -> Response<Body> {
    let mut response = error(status, message);
    // Rounded up: a client that comes too early is refused again.
    let seconds = time.as_millis().div_ceil(1000).max(1);
    let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
    insert(&mut response, RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// Returns the response to `HEAD` in place of that to `GET`.
pub(crate) fn without_body(response: Response<Body>) -> Response<Body> {
    response.map(|_| Body::full(Bytes::new()))
}

fn full(
    status: StatusCode,
    content_type: &'static str,
    content: impl Into<Bytes>,
) -> Response<Body> {
    let content = content.into();
    let length = HeaderValue::from(content.len());
    let mut response = new(status, content_type, Body::full(content));
    insert(&mut response, CONTENT_LENGTH, length);
    response
}

fn new(status: StatusCode, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static(content_type);
    insert(&mut response, CONTENT_TYPE, content_type);
    for (name, value) in SAFETY {
        insert(&mut response, name, HeaderValue::from_static(value));
    }
    response
}

fn insert(response: &mut Response<Body>, name: HeaderName, value: HeaderValue) {
    response.headers_mut().insert(name, value);
}
