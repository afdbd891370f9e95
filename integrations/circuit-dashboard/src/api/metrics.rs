//! The metrics of all breakers.

use circuit_runtime::export;
use http::{Response, StatusCode};
use tokio::task::spawn_blocking;

use crate::body::Body;
use crate::reply;

/// Responds with the metrics in the text format of Prometheus.
pub(crate) async fn text() -> Response<Body> {
    let text = spawn_blocking(|| {
        let mut text = String::new();
        export::prometheus(&mut text).map(|()| text)
    });
    match text.await {
        Ok(Ok(text)) => reply::text(export::CONTENT_TYPE, text),
        _ => reply::error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the metrics could not be read; try again",
        ),
    }
}
