//! The dashboard as a service of HTTP.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use tower_service::Service;

use crate::access::{Misdirected, is_from_elsewhere};
use crate::api;
use crate::body::Body;
use crate::dashboard::Dashboard;
use crate::reply;
use crate::router::Route;

impl<B> Service<Request<B>> for Dashboard
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture {
        let dashboard = self.clone();
        ResponseFuture {
            response: Box::pin(async move { dashboard.respond(request).await }),
        }
    }
}

/// The response of the dashboard, which is never an error.
///
/// # Examples
///
/// ```
/// use circuit_dashboard::{Dashboard, ResponseFuture};
/// use http::Request;
/// use tower::Service;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let request = Request::get("http://localhost/").body(String::new())?;
/// let response: ResponseFuture = Dashboard::new().call(request);
/// assert_eq!(response.await?.status(), 200);
/// # Ok(())
/// # }
/// ```
pub struct ResponseFuture {
    response: Pin<Box<dyn Future<Output = Response<Body>> + Send>>,
}

impl Future for ResponseFuture {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.response.as_mut().poll(context).map(Ok)
    }
}

impl fmt::Debug for ResponseFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

impl Dashboard {
    async fn respond<B: http_body::Body>(&self, request: Request<B>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let response = match self.route(&parts) {
            Ok(Route::Order(name, order)) => {
                api::orders::respond(self, &parts, body, name, order).await
            }
            Ok(Route::Asset(asset)) => reply::asset(asset),
            Ok(route) => match self.refuse_data(&parts) {
                Some(refusal) => refusal,
                None => self.data(route, &parts).await,
            },
            Err(refusal) => refusal,
        };
        if parts.method == Method::HEAD {
            reply::without_body(response)
        } else {
            response
        }
    }

    /// Returns the destination of a request, or the response that there is none.
    fn route(&self, parts: &Parts) -> Result<Route, Response<Body>> {
        self.settings
            .hosts
            .check(parts)
            .map_err(|misdirected| match misdirected {
                Misdirected::Malformed => reply::error(
                    StatusCode::BAD_REQUEST,
                    "a request needs one header `Host`, and a valid one",
                ),
                Misdirected::Other(host) => reply::error(
                    StatusCode::MISDIRECTED_REQUEST,
                    &format!(
                        "`{host}` is not a host of the dashboard; add it by `host(..)`, if it is"
                    ),
                ),
            })?;
        let route = Route::find(parts.uri.path(), parts.uri.query());
        let route = route.ok_or_else(|| {
            reply::error(
                StatusCode::NOT_FOUND,
                "there is nothing here; the API begins with `/api/`",
            )
        })?;
        if route.takes(&parts.method) {
            Ok(route)
        } else {
            Err(reply::method_not_allowed(route.allow()))
        }
    }

    /// Returns the response to a request that may not read data.
    fn refuse_data(&self, parts: &Parts) -> Option<Response<Body>> {
        let token = self.settings.token.as_ref();
        if token.is_some_and(|token| !token.is_in(&parts.headers)) {
            return Some(reply::unauthorized());
        }
        is_from_elsewhere(&parts.headers).then(|| {
            let message = "the data is for the dashboard's own page, not for another site";
            reply::error(StatusCode::FORBIDDEN, message)
        })
    }

    async fn data(&self, route: Route, parts: &Parts) -> Response<Body> {
        let query = parts.uri.query();
        match route {
            Route::List => api::breakers::list(self, query).await,
            Route::Detail(name) => api::breakers::detail(self, name).await,
            Route::Changes => api::changes::list(query),
            Route::Stream => api::changes::stream(self, &parts.headers),
            Route::Metrics => api::metrics::text().await,
            Route::Asset(asset) => reply::asset(asset),
            // Answered before, as it has rules of its own.
            Route::Order(..) => reply::method_not_allowed("POST"),
        }
    }
}
