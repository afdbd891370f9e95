//! The key of a request, by which its breaker is found.

use std::borrow::Cow;

use http::Request;
use http::header::HOST;
use http::uri::Authority;

/// Returns the key of a request: its host, route or tenant.
///
/// Implemented for closures that return a `String`, by [`Host`] and by [`Path`]. A key that clients
/// can choose freely should not be used: each has a breaker of its own, up to
/// [`max_keys`](circuit_runtime::CircuitBreakers::max_keys).
///
/// If it panics, nothing has been called and nothing is counted.
///
/// # Examples
///
/// A closure names the type of the request, which nothing else determines:
///
/// ```
/// use circuit_runtime::{CircuitBreakers, Config};
/// use circuit_tower::CircuitBreakerLayer;
/// use http::Request;
///
/// let breakers = CircuitBreakers::new("tenants", Config::default());
/// let layer = CircuitBreakerLayer::keyed(breakers, |request: &Request<String>| {
///     let tenant = request.headers().get("tenant").and_then(|tenant| tenant.to_str().ok());
///     tenant.unwrap_or_default().to_owned()
/// });
/// # let _ = layer;
/// ```
pub trait Key<R> {
    /// Returns the key of this request.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_tower::Key;
    /// use http::Request;
    ///
    /// let version = |request: &Request<()>| format!("{:?}", request.version());
    /// let request = Request::new(());
    /// assert_eq!(version.key(&request), "HTTP/1.1");
    /// ```
    fn key<'r>(&'r self, request: &'r R) -> Cow<'r, str>;
}

impl<R, F> Key<R> for F
where
    F: Fn(&R) -> String,
{
    fn key<'r>(&'r self, request: &'r R) -> Cow<'r, str> {
        Cow::Owned(self(request))
    }
}

/// The host of a request, with its port if the request names one that is not the scheme's own.
///
/// It is that of the URI or, if there is none, that of the header `Host`; empty without both.
///
/// # Examples
///
/// ```
/// use circuit_tower::{Host, Key};
/// use http::Request;
///
/// let request = Request::get("https://api.example:443/quotes").body(())?;
/// assert_eq!(Host.key(&request), "api.example");
///
/// let request = Request::get("/quotes").header("host", "api.example:8080").body(())?;
/// assert_eq!(Host.key(&request), "api.example:8080");
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Host;

impl<B> Key<Request<B>> for Host {
    fn key<'r>(&'r self, request: &'r Request<B>) -> Cow<'r, str> {
        let host = match request.uri().authority() {
            Some(authority) => host_of_authority(authority, request.uri().scheme_str()),
            None => host_of_header(request).unwrap_or_default(),
        };
        if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(host.to_ascii_lowercase())
        } else {
            Cow::Borrowed(host)
        }
    }
}

fn host_of_authority<'r>(authority: &'r Authority, scheme: Option<&str>) -> &'r str {
    let is_default = matches!(
        (scheme, authority.port_u16()),
        (Some("http"), Some(80)) | (Some("https"), Some(443))
    );
    if is_default {
        return authority.host();
    }
    // Without the name and password of a user.
    let authority = authority.as_str();
    authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host)
}

fn host_of_header<B>(request: &Request<B>) -> Option<&str> {
    request.headers().get(HOST)?.to_str().ok()
}

/// The path of a request, without its query.
///
/// Fit for a few fixed paths. Where a part of the path is an argument, each of its values would
/// have a breaker of its own: use a closure that returns the route instead.
///
/// # Examples
///
/// ```
/// use circuit_tower::{Key, Path};
/// use http::Request;
///
/// let request = Request::get("https://api.example/quotes?symbol=ACME").body(())?;
/// assert_eq!(Path.key(&request), "/quotes");
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Path;

impl<B> Key<Request<B>> for Path {
    fn key<'r>(&'r self, request: &'r Request<B>) -> Cow<'r, str> {
        Cow::Borrowed(request.uri().path())
    }
}

#[cfg(test)]
mod tests {
    use super::{Host, Key, Path};
    use http::Request;
    use std::borrow::Cow;

    #[test]
    fn the_host_of_each_form_of_a_request() {
        for (uri, header, expected) in [
            ("http://a.example/x", None, "a.example"),
            ("http://a.example:80/", None, "a.example"),
            ("https://a.example:443/", None, "a.example"),
            ("http://a.example:443/", None, "a.example:443"),
            ("http://a.example:8080/", Some("b"), "a.example:8080"),
            ("http://user:word@A.Example:81/", None, "a.example:81"),
            ("http://[::1]:80/", None, "[::1]"),
            ("/x", Some("B.example:1"), "b.example:1"),
            ("/x", None, ""),
            ("*", None, ""),
        ] {
            let mut request = Request::get(uri);
            if let Some(host) = header {
                request = request.header("host", host);
            }
            let request = request.body(()).unwrap();
            assert_eq!(Host.key(&request), expected, "{uri}");
        }
    }

    #[test]
    fn a_host_and_a_path_are_borrowed() {
        let request = Request::get("http://a.example:81/x?y").body(()).unwrap();
        assert!(matches!(Host.key(&request), Cow::Borrowed("a.example:81")));
        assert!(matches!(Path.key(&request), Cow::Borrowed("/x")));
    }
}
