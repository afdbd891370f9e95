//! Shares and rates: `0.5`, or as text `"50%"`.
//!
//! # Examples
//!
//! ```
//! use circuit_options::rates::{is_rate, parse};
//!
//! assert!(parse("50%").is_some_and(is_rate));
//! assert!(!parse("0%").is_some_and(is_rate));
//! ```

use crate::names::OptionName;

/// Reads a percentage, such as `"10%"`, as the number nearest to it, as if `0.1` were written.
///
/// Returns `None` for any other text.
///
/// # Examples
///
/// ```
/// use circuit_options::rates::parse;
///
/// assert_eq!(parse("57%"), Some(0.57));
/// assert_eq!(parse("57"), None);
/// ```
#[must_use]
pub fn parse(text: &str) -> Option<f64> {
    let percent = text.strip_suffix('%')?;
    format!("{percent}e-2").parse().ok()
}

/// Returns `true` for a share of a whole: from 0 to 1, and not NaN.
///
/// # Examples
///
/// ```
/// use circuit_options::rates::is_share;
///
/// assert!(is_share(0.0) && is_share(1.0));
/// assert!(!is_share(1.1));
/// ```
#[must_use]
pub const fn is_share(number: f64) -> bool {
    number >= 0.0 && number <= 1.0
}

/// Returns `true` for a rate that can open a circuit: above 0, at most 1, and not NaN.
///
/// # Examples
///
/// ```
/// use circuit_options::rates::is_rate;
///
/// assert!(is_rate(1.0));
/// assert!(!is_rate(0.0));
/// ```
#[must_use]
pub const fn is_rate(number: f64) -> bool {
    number > 0.0 && number <= 1.0
}

/// Returns the advice for a number that is too large, if it may have been meant as a percentage.
///
/// # Examples
///
/// ```
/// use circuit_options::names::OptionName;
/// use circuit_options::rates::as_percentage;
///
/// assert_eq!(
///     as_percentage(OptionName::Jitter, 10.0).as_deref(),
///     Some("for 10 percent write `jitter = \"10%\"`"),
/// );
/// assert_eq!(as_percentage(OptionName::Jitter, 1.1), None);
/// ```
#[must_use]
pub fn as_percentage(option: OptionName, number: f64) -> Option<String> {
    (2.0..=100.0)
        .contains(&number)
        .then(|| format!("for {number} percent write `{option} = \"{number}%\"`"))
}

#[cfg(test)]
mod tests {
    use super::{as_percentage, is_rate, is_share, parse};
    use crate::names::OptionName;

    #[test]
    fn a_percentage_is_the_number_that_it_stands_for() {
        for tenths in 0..=1_000_u32 {
            let (percent, tenth) = (tenths / 10, tenths % 10);
            let written = parse(&format!("{percent}.{tenth}%"));
            assert_eq!(written, Some(f64::from(tenths) / 1_000.0), "{tenths}");
        }
        for text in ["10", "%", "inf%", "nan%", "1e1%", "ten%"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn zero_is_a_share_and_not_a_rate() {
        for (number, share, rate) in [
            (0.0, true, false),
            (-0.1, false, false),
            (0.1, true, true),
            (1.0, true, true),
            (1.1, false, false),
            (f64::NAN, false, false),
        ] {
            assert_eq!(
                (is_share(number), is_rate(number)),
                (share, rate),
                "{number}"
            );
        }
    }

    #[test]
    fn a_large_number_may_be_a_percentage() {
        let advice = as_percentage(OptionName::Jitter, 12.5);
        assert_eq!(
            advice.as_deref(),
            Some("for 12.5 percent write `jitter = \"12.5%\"`")
        );
        for number in [1.5, 100.5, f64::NAN] {
            assert_eq!(as_percentage(OptionName::Jitter, number), None);
        }
    }
}
