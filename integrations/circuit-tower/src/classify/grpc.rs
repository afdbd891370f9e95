//! Failures by the status of gRPC.

use std::str::FromStr;
use std::time::Duration;

use circuit_runtime::Verdict;
use http::{HeaderMap, HeaderValue, StatusCode};

/// The header of the status, in the head of a response without a body or in the trailers.
const STATUS: &str = "grpc-status";

/// The header by which a server says when to try again, in milliseconds.
const PUSHBACK: &str = "grpc-retry-pushback-ms";

const CANCELLED: u32 = 1;
const UNKNOWN: u32 = 2;
const DEADLINE_EXCEEDED: u32 = 4;
const PERMISSION_DENIED: u32 = 7;
const UNIMPLEMENTED: u32 = 12;
const INTERNAL: u32 = 13;
const UNAVAILABLE: u32 = 14;
const DATA_LOSS: u32 = 15;
const UNAUTHENTICATED: u32 = 16;

/// Classifies by the status of gRPC: `DEADLINE_EXCEEDED` (4), `INTERNAL` (13), `UNAVAILABLE` (14)
/// and `DATA_LOSS` (15) are failures, as is every error of the connection.
///
/// `CANCELLED` (1) is ignored: the client has gone. All other statuses are successes: the service
/// works. One that is none of gRPC's is `UNKNOWN` (2), as clients read it. A failure whose
/// `grpc-retry-pushback-ms` says how long is [`Verdict::Unavailable`]; a value that is negative or
/// no number, by which the server asks for no retry at all, leaves it an ordinary failure.
///
/// Errors by which no service is reached are ignored, and so are the answers of a breaker inside,
/// as by [`HttpStatus`](crate::HttpStatus).
///
/// The status of an error is in the head of the response if there is no message before it, and in
/// the trailers otherwise. These are read only with
/// [`until_body_ends`](crate::CircuitBreakerLayer::until_body_ends). A response without a status
/// whose HTTP status is not 200 is of a proxy, and has the status that
/// [gRPC](https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md) maps it to.
///
/// # Examples
///
/// ```
/// use circuit_runtime::Verdict;
/// use circuit_tower::Grpc;
/// use http::HeaderMap;
/// use std::time::Duration;
///
/// let mut trailers = HeaderMap::new();
/// trailers.insert("grpc-status", "14".parse()?);
/// assert_eq!(Grpc::new().verdict(&trailers), Verdict::Failure);
///
/// trailers.insert("grpc-retry-pushback-ms", "1500".parse()?);
/// let wait = Verdict::Unavailable(Duration::from_millis(1500));
/// assert_eq!(Grpc::new().verdict(&trailers), wait);
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Grpc {
    /// A bit for each code.
    failures: u32,
}

impl Grpc {
    /// Creates the classification by which 4, 13, 14 and 15 are failures.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_tower::Grpc;
    ///
    /// assert_eq!(Grpc::new(), Grpc::default());
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self {
            failures: 1 << DEADLINE_EXCEEDED | 1 << INTERNAL | 1 << UNAVAILABLE | 1 << DATA_LOSS,
        }
    }

    /// Makes this code a failure, too: `RESOURCE_EXHAUSTED` (8), for example, of a service that
    /// limits its clients. A code above 16 is none of gRPC's, and changes nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::Verdict;
    /// use circuit_tower::Grpc;
    /// use http::HeaderMap;
    ///
    /// let mut trailers = HeaderMap::new();
    /// trailers.insert("grpc-status", "8".parse()?);
    /// assert_eq!(Grpc::new().verdict(&trailers), Verdict::Success);
    /// assert_eq!(Grpc::new().also(8).verdict(&trailers), Verdict::Failure);
    /// # Ok::<(), http::header::InvalidHeaderValue>(())
    /// ```
    #[must_use]
    pub const fn also(self, code: u8) -> Self {
        Self {
            failures: if code <= 16 {
                self.failures | 1 << code
            } else {
                self.failures
            },
        }
    }

    /// Returns the verdict on a call whose trailers these are. Trailers without a status are a
    /// success.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::Verdict;
    /// use circuit_tower::Grpc;
    /// use http::HeaderMap;
    ///
    /// assert_eq!(Grpc::new().verdict(&HeaderMap::new()), Verdict::Success);
    /// ```
    pub fn verdict(&self, trailers: &HeaderMap) -> Verdict {
        match status(trailers) {
            Some(status) => self.verdict_on_status(status, trailers),
            None => Verdict::Success,
        }
    }

    /// Returns the verdict on the head of a response.
    pub(super) fn verdict_on_head(
        self,
        status_of_head: StatusCode,
        headers: &HeaderMap,
    ) -> Verdict {
        match status(headers).or_else(|| status_of_http(status_of_head)) {
            Some(status) => self.verdict_on_status(status, headers),
            None => Verdict::Success,
        }
    }

    fn verdict_on_status(self, status: u32, headers: &HeaderMap) -> Verdict {
        let bit = 1_u32.checked_shl(status).unwrap_or(0);
        if self.failures & bit != 0 {
            pushback(headers).map_or(Verdict::Failure, Verdict::Unavailable)
        } else if status == CANCELLED {
            Verdict::Ignored
        } else {
            Verdict::Success
        }
    }
}

impl Default for Grpc {
    fn default() -> Self {
        Self::new()
    }
}

fn status(headers: &HeaderMap) -> Option<u32> {
    let code = number(headers.get(STATUS)?);
    Some(
        code.filter(|code| *code <= UNAUTHENTICATED)
            .unwrap_or(UNKNOWN),
    )
}

/// Returns the status of a response that has none of gRPC; `None` for that of a message.
fn status_of_http(status: StatusCode) -> Option<u32> {
    Some(match status.as_u16() {
        200 => return None,
        400 => INTERNAL,
        401 => UNAUTHENTICATED,
        403 => PERMISSION_DENIED,
        404 => UNIMPLEMENTED,
        429 | 502 | 503 | 504 => UNAVAILABLE,
        _ => UNKNOWN,
    })
}

fn pushback(headers: &HeaderMap) -> Option<Duration> {
    Some(Duration::from_millis(number(headers.get(PUSHBACK)?)?))
}

/// Returns the number that a value of digits alone is.
fn number<N: FromStr>(value: &HeaderValue) -> Option<N> {
    let digits = value.to_str().ok()?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::Grpc;
    use circuit_runtime::Verdict;
    use http::{HeaderMap, HeaderValue, StatusCode};
    use std::time::Duration;

    fn trailers(status: &str, pushback: Option<&str>) -> HeaderMap {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_str(status).unwrap());
        if let Some(pushback) = pushback {
            let value = HeaderValue::from_str(pushback).unwrap();
            trailers.insert("grpc-retry-pushback-ms", value);
        }
        trailers
    }

    #[test]
    fn each_status_has_a_verdict() {
        for code in 0..=20 {
            let expected = match code {
                1 => Verdict::Ignored,
                4 | 13 | 14 | 15 => Verdict::Failure,
                _ => Verdict::Success,
            };
            let trailers = trailers(&code.to_string(), None);
            assert_eq!(Grpc::new().verdict(&trailers), expected, "{code}");
        }
        for code in [0, 1, 8, 16] {
            let trailers = trailers(&code.to_string(), None);
            let verdict = Grpc::new().also(code).also(17).also(255).verdict(&trailers);
            assert_eq!(verdict, Verdict::Failure, "{code}");
        }
    }

    #[test]
    fn a_status_that_is_none_of_grpc_is_unknown() {
        for status in [
            "",
            "x",
            "-1",
            "+14",
            "17",
            "99",
            "4294967296",
            "1e1",
            "\u{e9}",
        ] {
            let trailers = trailers(status, Some("20"));
            assert_eq!(Grpc::new().verdict(&trailers), Verdict::Success, "{status}");
            assert_ne!(Grpc::new().also(2).verdict(&trailers), Verdict::Success);
        }
    }

    #[test]
    fn a_pushback_is_the_wait_of_a_failure() {
        for (pushback, expected) in [
            ("1500", Verdict::Unavailable(Duration::from_millis(1_500))),
            ("0", Verdict::Unavailable(Duration::ZERO)),
            ("-1", Verdict::Failure),
            ("+5", Verdict::Failure),
            ("soon", Verdict::Failure),
            ("", Verdict::Failure),
            ("99999999999999999999", Verdict::Failure),
        ] {
            let verdict = Grpc::new().verdict(&trailers("14", Some(pushback)));
            assert_eq!(verdict, expected, "{pushback}");
        }
        let verdict = Grpc::new().verdict(&trailers("0", Some("1500")));
        assert_eq!(verdict, Verdict::Success);
    }

    #[test]
    fn the_head_of_a_proxy_is_mapped() {
        for (status, expected) in [
            (200, Verdict::Success),
            (400, Verdict::Failure),
            (401, Verdict::Success),
            (403, Verdict::Success),
            (404, Verdict::Success),
            (429, Verdict::Failure),
            (500, Verdict::Success),
            (502, Verdict::Failure),
            (503, Verdict::Failure),
            (504, Verdict::Failure),
        ] {
            let head = StatusCode::from_u16(status).unwrap();
            let verdict = Grpc::new().verdict_on_head(head, &HeaderMap::new());
            assert_eq!(verdict, expected, "{status}");
        }
    }
}
