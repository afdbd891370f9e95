//! A value in place of a literal of a wrong type.

use std::time::Duration;

use circuit_options::durations;
use circuit_options::names::OptionName;
use quote::ToTokens;
use syn::{Expr, Lit, parse_str};

use super::kind::Kind;

/// Returns the value that a literal may stand for, as it is written: `"10s"` for `10`.
pub(super) fn corrected(kind: Kind, name: OptionName, literal: &Lit) -> Option<String> {
    let candidate = match (kind, literal) {
        (Kind::Duration | Kind::Window, Lit::Int(number)) => match number.suffix() {
            "" => format!("\"{number}s\""),
            unit => {
                let digits = number.base10_digits();
                let is_type = unit.starts_with(['u', 'i']);
                match kind {
                    Kind::Window if is_type => digits.to_owned(),
                    _ if is_type => format!("\"{digits}s\""),
                    _ => format!("\"{digits}{unit}\""),
                }
            }
        },
        (Kind::Duration | Kind::Window, Lit::Float(number)) => {
            let length = Duration::try_from_secs_f64(number.base10_parse().ok()?).ok()?;
            format!("{:?}", durations::format(length)?)
        }
        (Kind::Count, Lit::Float(number)) => number.base10_digits().strip_suffix(".0")?.to_owned(),
        (Kind::Count, Lit::Str(text)) => text.value().parse::<u32>().ok()?.to_string(),
        (_, literal) => literal.to_token_stream().to_string(),
    };
    let written: Expr = parse_str(&candidate).ok()?;
    matches!(kind.read(name, &written), Some(Ok(_))).then_some(candidate)
}

#[cfg(test)]
mod tests {
    use super::{Kind, OptionName, corrected};
    use syn::parse_str;

    #[test]
    fn a_literal_is_corrected_to_what_it_may_mean() {
        use OptionName::{MaxFailures, Reset, Window};
        for (kind, name, literal, expected) in [
            (Kind::Duration, Reset, "10", Some("\"10s\"")),
            (Kind::Duration, Reset, "10u64", Some("\"10s\"")),
            (Kind::Duration, Reset, "30s", Some("\"30s\"")),
            (Kind::Duration, Reset, "1.5", Some("\"1500ms\"")),
            (Kind::Duration, Reset, "0", None),
            (Kind::Duration, Reset, "'s'", None),
            (Kind::Duration, Reset, "true", None),
            (Kind::Duration, Reset, "\"5s\"", Some("\"5s\"")),
            (Kind::Window, Window, "10m", Some("\"10m\"")),
            (Kind::Window, Window, "100u64", Some("100")),
            (Kind::Window, Window, "10.0", Some("\"10s\"")),
            (Kind::Count, MaxFailures, "3", Some("3")),
            (Kind::Count, MaxFailures, "3.0", Some("3")),
            (Kind::Count, MaxFailures, "\"3\"", Some("3")),
            (Kind::Count, MaxFailures, "\"three\"", None),
            (Kind::Count, MaxFailures, "0.5", None),
        ] {
            let found = parse_str(literal)
                .ok()
                .and_then(|literal| corrected(kind, name, &literal));
            assert_eq!(found.as_deref(), expected, "{literal}");
        }
    }
}
