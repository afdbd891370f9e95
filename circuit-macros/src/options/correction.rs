//! A value in place of a literal of a wrong type.

use circuit_options::kinds::ValueKind;
use circuit_options::names::OptionName;
use circuit_options::written::Written;
use quote::ToTokens;
use syn::{Expr, Lit, parse_str};

use super::kind::Kind;

/// Returns the value that a literal may stand for, as it is written: `"10s"` for `10`.
pub(super) fn corrected(kind: Kind, name: OptionName, literal: &Lit) -> Option<String> {
    let spans = matches!(kind, Kind::Value(ValueKind::Duration | ValueKind::Window));
    let candidate = match literal {
        Lit::Int(number) if spans && !number.suffix().is_empty() => {
            let (digits, unit) = (number.base10_digits(), number.suffix());
            match kind {
                Kind::Value(ValueKind::Window) if is_type(unit) => digits.to_owned(),
                _ if is_type(unit) => format!("\"{digits}s\""),
                _ => format!("\"{digits}{unit}\""),
            }
        }
        literal => {
            let corrected = match literal {
                Lit::Int(number) => {
                    Written::Integer(number.base10_digits().parse().ok()?).corrected(name)
                }
                Lit::Float(number) => Written::Float(number.base10_parse().ok()?).corrected(name),
                Lit::Str(text) => Written::Text(&text.value()).corrected(name),
                _ => None,
            };
            corrected.unwrap_or_else(|| literal.to_token_stream().to_string())
        }
    };
    let written: Expr = parse_str(&candidate).ok()?;
    matches!(kind.read(name, &written), Some(Ok(_))).then_some(candidate)
}

/// Returns whether the suffix of a number is that of an integer type, and no unit.
fn is_type(suffix: &str) -> bool {
    suffix.starts_with(['u', 'i']) && suffix != "us"
}

#[cfg(test)]
mod tests {
    use super::{Kind, OptionName, ValueKind, corrected};
    use syn::parse_str;

    #[test]
    fn a_literal_is_corrected_to_what_it_may_mean() {
        use OptionName::{MaxFailures, Reset, Window};
        for (kind, name, literal, expected) in [
            (ValueKind::Duration, Reset, "10", Some("\"10s\"")),
            (ValueKind::Duration, Reset, "10u64", Some("\"10s\"")),
            (ValueKind::Duration, Reset, "30s", Some("\"30s\"")),
            (ValueKind::Duration, Reset, "30us", Some("\"30us\"")),
            (ValueKind::Duration, Reset, "1.5", Some("\"1500ms\"")),
            (ValueKind::Duration, Reset, "0", None),
            (ValueKind::Duration, Reset, "'s'", None),
            (ValueKind::Duration, Reset, "true", None),
            (ValueKind::Duration, Reset, "\"5s\"", Some("\"5s\"")),
            (ValueKind::Window, Window, "10m", Some("\"10m\"")),
            (ValueKind::Window, Window, "100u64", Some("100")),
            (ValueKind::Window, Window, "10.0", Some("\"10s\"")),
            (ValueKind::Count, MaxFailures, "3", Some("3")),
            (ValueKind::Count, MaxFailures, "3.0", Some("3")),
            (ValueKind::Count, MaxFailures, "\"3\"", Some("3")),
            (ValueKind::Count, MaxFailures, "\"three\"", None),
            (ValueKind::Count, MaxFailures, "0.5", None),
        ] {
            let found = parse_str(literal)
                .ok()
                .and_then(|literal| corrected(Kind::Value(kind), name, &literal));
            assert_eq!(found.as_deref(), expected, "{literal}");
        }
    }
}
