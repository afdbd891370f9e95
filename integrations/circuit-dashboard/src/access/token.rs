//! The bearer token.

use std::fmt;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use subtle::ConstantTimeEq;

/// The token that a request must carry.
#[derive(Clone)]
pub(crate) struct Token(String);

impl Token {
    pub(crate) fn new(token: String) -> Self {
        Self(token)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether a request carries the token: once, as `Authorization: Bearer <token>`.
    pub(crate) fn is_in(&self, headers: &HeaderMap) -> bool {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return false;
        };
        let value = value.as_bytes();
        let Some((scheme, token)) = value.split_at_checked("Bearer ".len()) else {
            return false;
        };
        scheme.eq_ignore_ascii_case(b"Bearer ") && self.is(token)
    }

    /// Compares in a time that depends on the lengths alone. An empty token is that of no one.
    fn is(&self, token: &[u8]) -> bool {
        !self.is_empty() && bool::from(self.0.as_bytes().ct_eq(token))
    }
}

/// Without the token, which must not get into a log.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::{HeaderMap, Token};
    use http::HeaderValue;

    fn is_in(token: &str, values: &[&'static str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("authorization", HeaderValue::from_static(value));
        }
        Token::new(token.to_owned()).is_in(&headers)
    }

    #[test]
    fn a_request_carries_the_token_once_and_whole() {
        for (values, expected) in [
            (&["Bearer secret"][..], true),
            (&["bearer secret"], true),
            (&[], false),
            (&["Bearer"], false),
            (&["Bearer "], false),
            (&["Bearer secre"], false),
            (&["Bearer secrets"], false),
            (&["Bearer Secret"], false),
            (&["Bearer  secret"], false),
            (&["Basic secret"], false),
            (&["secret"], false),
            (&["Bearer secret", "Bearer secret"], false),
        ] {
            assert_eq!(is_in("secret", values), expected, "{values:?}");
        }
        assert!(!is_in("", &["Bearer "]));
        let token = Token::new("secret".to_owned());
        assert_eq!(format!("{token:?}"), "Token(..)");
    }
}
