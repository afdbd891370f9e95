//! The header `Retry-After`.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

/// Returns how long the service asks not to be called for; `None` if it does not, or not in a way
/// that HTTP has. A date that is past is a wait of zero. The first of several headers is read.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if value.is_empty() {
        return None;
    }
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Too many digits for an integer are too long a wait for a circuit in any case.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let end = httpdate::parse_http_date(value).ok()?;
    let now = sent_at(headers).or_else(now)?;
    Some(end.duration_since(now).unwrap_or(Duration::ZERO))
}

/// Returns the date of the response: by the same clock as the date to wait for.
fn sent_at(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()
}

fn now() -> Option<SystemTime> {
    // A target on which the standard library has no clock, and panics.
    let has_clock = cfg!(not(all(target_family = "wasm", target_os = "unknown")));
    has_clock.then(SystemTime::now)
}

#[cfg(test)]
mod tests {
    use super::retry_after;
    use http::header::{DATE, RETRY_AFTER};
    use http::{HeaderMap, HeaderValue};
    use std::time::{Duration, SystemTime};

    const SENT: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    fn wait(value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(DATE, HeaderValue::from_static(SENT));
        headers.insert(RETRY_AFTER, HeaderValue::from_str(value).unwrap());
        retry_after(&headers)
    }

    #[test]
    fn seconds_and_the_three_forms_of_dates_are_read() {
        for (value, expected) in [
            ("20", 20),
            (" 20 ", 20),
            ("0", 0),
            ("315360000", 315_360_000),
            ("99999999999999999999999", u64::MAX),
            ("Sun, 06 Nov 1994 08:49:57 GMT", 20),
            ("Sunday, 06-Nov-94 08:49:57 GMT", 20),
            ("Sun Nov  6 08:49:57 1994", 20),
            (SENT, 0),
            ("Sun, 06 Nov 1994 08:49:36 GMT", 0),
        ] {
            assert_eq!(wait(value), Some(Duration::from_secs(expected)), "{value}");
        }
    }

    #[test]
    fn text_that_is_no_number_and_no_date_is_no_wait() {
        for value in [
            "", " ", "soon", "-20", "1.5", "20s", "+20", "6 Nov", "\u{e9}",
        ] {
            assert_eq!(wait(value), None, "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn the_first_of_several_is_read() {
        for (values, expected) in [
            (["20", "soon"], Some(Duration::from_secs(20))),
            (["soon", "20"], None),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(RETRY_AFTER, HeaderValue::from_static(value));
            }
            assert_eq!(retry_after(&headers), expected, "{values:?}");
        }
    }

    #[test]
    fn without_a_date_of_the_response_the_clock_of_the_system_is_read() {
        let mut headers = HeaderMap::new();
        let end = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3_600));
        headers.insert(RETRY_AFTER, HeaderValue::from_str(&end).unwrap());
        let wait = retry_after(&headers).unwrap();
        assert!(wait <= Duration::from_secs(3_600), "{wait:?}");
        assert!(wait > Duration::ZERO);
    }
}
