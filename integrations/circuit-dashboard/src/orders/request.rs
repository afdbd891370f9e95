//! An order as the body of a request.

use std::time::Duration;

use serde_json::{Map, Value};

use super::action::{Action, Order};

/// How long an order holds unless the request says otherwise.
const DEFAULT_TIME: Duration = Duration::from_secs(15 * 60);

/// The longest time of an order, in seconds: one day.
const MAX_SECONDS: f64 = 86_400.0;

/// The most characters of a reason.
const MAX_REASON: usize = 500;

/// The mistake in the body of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Invalid {
    /// The body is no JSON.
    Syntax,
    /// Fields are missing or wrong: a sentence, and the names of the missing ones.
    Fields {
        message: String,
        missing: Vec<&'static str>,
    },
}

impl Invalid {
    fn missing(fields: Vec<&'static str>) -> Self {
        let advice = |field: &&str| match *field {
            "reason" => "`reason`, the text that explains it to others",
            _ => "`seconds`, after which it ends",
        };
        let parts: Vec<_> = fields.iter().map(advice).collect();
        Self::Fields {
            message: format!("an order needs {}", parts.join(", and ")),
            missing: fields,
        }
    }

    fn wrong(message: impl Into<String>) -> Self {
        Self::Fields {
            message: message.into(),
            missing: Vec::new(),
        }
    }
}

/// Reads the body of a request for an order to the breakers of this name.
pub(crate) fn read(breaker: String, order: Order, body: &[u8]) -> Result<Action, Invalid> {
    let body: Value = serde_json::from_slice(body).map_err(|_| Invalid::Syntax)?;
    let Value::Object(fields) = body else {
        return Err(Invalid::missing(vec!["reason"]));
    };
    if let Some(unknown) = fields
        .keys()
        .find(|it| !["reason", "seconds"].contains(&it.as_str()))
    {
        let message = format!("`{unknown}` is no field of an order; it has `reason` and `seconds`");
        return Err(Invalid::wrong(message));
    }
    let reason = reason(&fields)?;
    let time = time(&fields, order)?;
    let lasts = match time {
        Time::For(time) => Some(time),
        Time::ByRules | Time::Missing => None,
    };
    match reason {
        Some(reason) if time != Time::Missing => Ok(Action {
            breaker,
            order,
            reason,
            time: lasts,
        }),
        reason => {
            let mut missing = Vec::new();
            missing.extend(reason.is_none().then_some("reason"));
            missing.extend((time == Time::Missing).then_some("seconds"));
            Err(Invalid::missing(missing))
        }
    }
}

/// Returns the reason; `None` if it is missing.
fn reason(fields: &Map<String, Value>) -> Result<Option<String>, Invalid> {
    match fields.get("reason") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(reason)) if reason.trim().is_empty() => Ok(None),
        Some(Value::String(reason)) if reason.chars().count() > MAX_REASON => Err(Invalid::wrong(
            format!("`reason` is too long; write at most {MAX_REASON} characters"),
        )),
        Some(Value::String(reason)) => Ok(Some(reason.trim().to_owned())),
        Some(_) => Err(Invalid::wrong("`reason` must be text")),
    }
}

/// How long an order lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Time {
    For(Duration),
    /// For as long as the rules of the circuit say, if at all.
    ByRules,
    /// It has no end, and needs one.
    Missing,
}

fn time(fields: &Map<String, Value>, order: Order) -> Result<Time, Invalid> {
    let is_hold = matches!(order, Order::ForceOpen | Order::ForceClosed);
    let seconds = match fields.get("seconds") {
        None if is_hold => return Ok(Time::For(DEFAULT_TIME)),
        Some(Value::Null) if is_hold => return Ok(Time::Missing),
        None | Some(Value::Null) => return Ok(Time::ByRules),
        Some(_) if order == Order::Reset => {
            return Err(Invalid::wrong(
                "`reset` has no end, as it leaves no order behind; leave `seconds` out",
            ));
        }
        Some(seconds) => seconds.as_f64(),
    };
    match seconds.filter(|seconds| (1.0..=MAX_SECONDS).contains(seconds)) {
        Some(seconds) => Ok(Time::For(Duration::from_secs_f64(seconds))),
        None => Err(Invalid::wrong(format!(
            "`seconds` must be a number from 1 to {MAX_SECONDS}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, DEFAULT_TIME, Duration, Invalid, Order, read};

    fn read_body(order: Order, body: &str) -> Result<Action, Invalid> {
        read("quotes".to_owned(), order, body.as_bytes())
    }

    /// Returns the missing fields of a body with wrong ones.
    fn missing(order: Order, body: &str) -> Option<Vec<&'static str>> {
        match read_body(order, body) {
            Err(Invalid::Fields { missing, .. }) => Some(missing),
            _ => None,
        }
    }

    #[test]
    fn an_order_has_a_reason_and_an_end() {
        let time = |order, body| read_body(order, body).map(|action| action.time);
        let quarter = Ok(Some(DEFAULT_TIME));
        assert_eq!(time(Order::ForceOpen, r#"{"reason":"r"}"#), quarter);
        assert_eq!(time(Order::ForceClosed, r#"{"reason":"r"}"#), quarter);
        assert_eq!(time(Order::Trip, r#"{"reason":"r"}"#), Ok(None));
        assert_eq!(
            time(Order::Reset, r#"{"reason":"r","seconds":null}"#),
            Ok(None)
        );
        let minute = Ok(Some(Duration::from_secs(60)));
        for order in [Order::ForceOpen, Order::ForceClosed, Order::Trip] {
            assert_eq!(time(order, r#"{"reason":"r","seconds":60}"#), minute);
        }
        let action = read_body(Order::Trip, r#"{"reason":"  a drill "}"#);
        assert_eq!(action.map(|action| action.reason), Ok("a drill".to_owned()));
    }

    #[test]
    fn all_that_is_missing_is_named() {
        for body in ["{}", "[]", "3", r#"{"reason":" \t"}"#, r#"{"reason":null}"#] {
            assert_eq!(
                missing(Order::ForceOpen, body),
                Some(vec!["reason"]),
                "{body}"
            );
        }
        let both = missing(Order::ForceOpen, r#"{"seconds":null}"#);
        assert_eq!(both, Some(vec!["reason", "seconds"]));
        let end = missing(Order::ForceClosed, r#"{"reason":"r","seconds":null}"#);
        assert_eq!(end, Some(vec!["seconds"]));
    }

    #[test]
    fn a_wrong_field_is_refused_and_nothing_is_guessed() {
        let long = format!(r#"{{"reason":"{}"}}"#, "é".repeat(501));
        for (order, body) in [
            (Order::ForceOpen, r#"{"reason":"r","seconds":0}"#),
            (Order::ForceOpen, r#"{"reason":"r","seconds":-5}"#),
            (Order::ForceOpen, r#"{"reason":"r","seconds":1e300}"#),
            (Order::ForceOpen, r#"{"reason":"r","seconds":86401}"#),
            (Order::ForceOpen, r#"{"reason":"r","seconds":"60"}"#),
            (Order::ForceOpen, r#"{"reason":7}"#),
            (Order::ForceOpen, r#"{"reason":"r","second":60}"#),
            (Order::Reset, r#"{"reason":"r","seconds":60}"#),
            (Order::Trip, &long),
        ] {
            assert_eq!(missing(order, body), Some(Vec::new()), "{body}");
        }
        for body in ["", "{", "{\"reason\":\"\u{1}\"}", "reason=r"] {
            assert_eq!(read_body(Order::Trip, body), Err(Invalid::Syntax), "{body}");
        }
        let deep = "[".repeat(4000);
        assert_eq!(read_body(Order::Trip, &deep), Err(Invalid::Syntax));
    }
}
