//! Durations as text: `"30s"`, `"1m30s"`, `"250ms"`.

use std::time::Duration;

/// The units, the largest first, and their lengths in milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Reads a duration: pieces of a whole number and a unit, each unit once and the largest first.
///
/// # Errors
///
/// Returns a message that quotes `text` and says what to write instead.
///
/// # Examples
///
/// ```
/// use circuit_options::durations::parse;
/// use std::time::Duration;
///
/// assert_eq!(parse("1m30s"), Ok(Duration::from_secs(90)));
/// assert_eq!(
///     parse("10 sec").unwrap_err(),
///     "unknown unit `sec` in \"10sec\"; write \"10s\"",
/// );
/// ```
pub fn parse(text: &str) -> Result<Duration, String> {
    if text.trim().is_empty() {
        return Err("an empty duration; write one such as \"30s\"".to_owned());
    }
    let dense: String = text.split_whitespace().collect();
    if dense != text {
        // Only suggest what would parse.
        parse(&dense)?;
        return Err(format!(
            "a duration has no spaces; write {dense:?} for {text:?}"
        ));
    }

    let mut total: u64 = 0;
    let mut smallest: Option<(&str, u64)> = None;
    let mut rest = text;
    while !rest.is_empty() {
        let (number, unit);
        (number, rest) = split_while(rest, |letter| letter.is_ascii_digit());
        (unit, rest) = split_while(rest, |letter| !letter.is_ascii_digit());

        let length = check_piece(number, unit, text)?;
        if let Some((before, shorter)) = smallest {
            if length == shorter {
                return Err(format!(
                    "unit `{unit}` is written twice in {text:?}; add the two up"
                ));
            }
            if length > shorter {
                return Err(format!(
                    "unit `{unit}` comes after `{before}` in {text:?}; write the largest unit first"
                ));
            }
        }
        smallest = Some((unit, length));
        total = number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(length))
            .and_then(|piece| total.checked_add(piece))
            .ok_or_else(|| {
                format!("{text:?} is too long; a duration fits in 64 bits of milliseconds")
            })?;
    }
    Ok(Duration::from_millis(total))
}

/// Writes a duration as the shorter of its two usual texts: one number in the smallest unit that it
/// needs, or a piece for each unit.
///
/// Returns `None` for a duration that [`parse`] cannot read: one that is not a whole number of
/// milliseconds, or too long.
///
/// # Examples
///
/// ```
/// use circuit_options::durations::format;
/// use std::time::Duration;
///
/// assert_eq!(format(Duration::from_secs(90)).as_deref(), Some("90s"));
/// assert_eq!(format(Duration::from_secs(3_690)).as_deref(), Some("3690s"));
/// assert_eq!(format(Duration::from_secs(90_000)).as_deref(), Some("25h"));
/// assert_eq!(format(Duration::from_millis(86_400_001)).as_deref(), Some("1d1ms"));
/// assert_eq!(format(Duration::from_micros(1)), None);
/// ```
#[must_use]
pub fn format(duration: Duration) -> Option<String> {
    let millis = u64::try_from(duration.as_millis()).ok()?;
    if millis == 0 || Duration::from_millis(millis) != duration {
        return duration.is_zero().then(|| "0s".to_owned());
    }
    let (unit, length) = UNITS.iter().find(|(_, length)| millis % length == 0)?;
    let one_unit = format!("{}{unit}", millis / length);

    let mut rest = millis;
    let pieces = UNITS.map(|(unit, length)| {
        let number = rest / length;
        rest %= length;
        match number {
            0 => String::new(),
            number => format!("{number}{unit}"),
        }
    });
    let pieces = pieces.concat();
    Some(if pieces.len() < one_unit.len() {
        pieces
    } else {
        one_unit
    })
}

/// Returns the length of the unit of one piece, in milliseconds, if the piece is complete.
fn check_piece(number: &str, unit: &str, text: &str) -> Result<u64, String> {
    if unit.is_empty() {
        return Err(format!(
            "no unit after `{number}` in {text:?}; write \"{number}s\" or \"{number}ms\""
        ));
    }
    if unit.starts_with('-') {
        return Err(format!(
            "a negative duration {text:?}; write one such as \"30s\""
        ));
    }
    if unit.starts_with(['.', ',']) {
        return Err(format!(
            "a fraction in {text:?}; write whole numbers, such as \"1s500ms\""
        ));
    }
    if number.is_empty() {
        return Err(format!(
            "no number before `{unit}` in {text:?}; write a duration such as \"1m30s\""
        ));
    }
    millis_in(unit).ok_or_else(|| {
        let advice = match in_short(text) {
            Some(short) => format!("write {short:?}"),
            None => "expected `ms`, `s`, `m`, `h` or `d`".to_owned(),
        };
        format!("unknown unit `{unit}` in {text:?}; {advice}")
    })
}

/// Returns the duration with its units as they are written here, if that makes it valid.
fn in_short(text: &str) -> Option<String> {
    let mut short = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (number, unit);
        (number, rest) = split_while(rest, |letter| letter.is_ascii_digit());
        (unit, rest) = split_while(rest, |letter| !letter.is_ascii_digit());
        short.push_str(number);
        short.push_str(match unit.to_ascii_lowercase().as_str() {
            "ms" | "msec" | "msecs" | "milli" | "millis" | "millisecond" | "milliseconds" => "ms",
            "s" | "sec" | "secs" | "second" | "seconds" => "s",
            "m" | "min" | "mins" | "minute" | "minutes" => "m",
            "h" | "hr" | "hrs" | "hour" | "hours" => "h",
            "d" | "day" | "days" => "d",
            _ => return None,
        });
    }
    parse(&short).is_ok().then_some(short)
}

/// Returns the length of a unit, in milliseconds.
fn millis_in(unit: &str) -> Option<u64> {
    let mut units = UNITS.iter();
    units.find_map(|(name, millis)| (*name == unit).then_some(*millis))
}

/// Splits a text after its longest beginning whose letters all pass.
fn split_while(text: &str, pass: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|letter| !pass(letter)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::{format, parse};
    use std::time::Duration;

    #[test]
    fn pieces_add_up() {
        for (text, millis) in [
            ("1ms", 1),
            ("250ms", 250),
            ("10s", 10_000),
            ("1s500ms", 1_500),
            ("1m30s", 90_000),
            ("2h", 7_200_000),
            ("1d", 86_400_000),
            ("1d2h3m4s5ms", 93_784_005),
            ("1h5ms", 3_600_005),
            ("007s", 7_000),
            ("90s", 90_000),
            ("18446744073709551615ms", u64::MAX),
            // Zero is a duration; each option decides whether it takes it.
            ("0s", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        for (millis, text) in [
            (0, "0s"),
            (1, "1ms"),
            (1_500, "1500ms"),
            (1_000, "1s"),
            (10_001, "10s1ms"),
            (100_001, "100001ms"),
            (1_000_001, "1000001ms"),
            (100_000_000, "100000s"),
            (90_000, "90s"),
            (300_000, "5m"),
            (93_600_000, "26h"),
            (86_400_001, "1d1ms"),
            (172_800_000, "2d"),
            (u64::MAX, "18446744073709551615ms"),
        ] {
            let duration = Duration::from_millis(millis);
            assert_eq!(format(duration).as_deref(), Some(text));
            assert_eq!(parse(text), Ok(duration), "{text}");
        }
        assert_eq!(format(Duration::from_nanos(1_000_001)), None);
        assert_eq!(format(Duration::from_nanos(1)), None);
        assert_eq!(format(Duration::MAX), None);
    }

    #[test]
    fn mistakes_say_what_to_write() {
        for (text, message) in [
            ("", "an empty duration; write one such as \"30s\""),
            (" ", "an empty duration; write one such as \"30s\""),
            ("10 sec", "unknown unit `sec` in \"10sec\"; write \"10s\""),
            (
                "1min30secs",
                "unknown unit `min` in \"1min30secs\"; write \"1m30s\"",
            ),
            (
                "30secs1min",
                "unknown unit `secs` in \"30secs1min\"; expected `ms`, `s`, `m`, `h` or `d`",
            ),
            (
                "10 s",
                "a duration has no spaces; write \"10s\" for \"10 s\"",
            ),
            (
                " 10s",
                "a duration has no spaces; write \"10s\" for \" 10s\"",
            ),
            (
                "10",
                "no unit after `10` in \"10\"; write \"10s\" or \"10ms\"",
            ),
            (
                "1m30",
                "no unit after `30` in \"1m30\"; write \"30s\" or \"30ms\"",
            ),
            (
                "s",
                "no number before `s` in \"s\"; write a duration such as \"1m30s\"",
            ),
            (
                "-1s",
                "a negative duration \"-1s\"; write one such as \"30s\"",
            ),
            (
                "1.5s",
                "a fraction in \"1.5s\"; write whole numbers, such as \"1s500ms\"",
            ),
            (
                ".5s",
                "a fraction in \".5s\"; write whole numbers, such as \"1s500ms\"",
            ),
            (
                "10x",
                "unknown unit `x` in \"10x\"; expected `ms`, `s`, `m`, `h` or `d`",
            ),
            (
                "10µs",
                "unknown unit `µs` in \"10µs\"; expected `ms`, `s`, `m`, `h` or `d`",
            ),
            ("10S", "unknown unit `S` in \"10S\"; write \"10s\""),
            (
                "30s1m",
                "unit `m` comes after `s` in \"30s1m\"; write the largest unit first",
            ),
            (
                "1s2s",
                "unit `s` is written twice in \"1s2s\"; add the two up",
            ),
            (
                "18446744073709551616ms",
                "\"18446744073709551616ms\" is too long; a duration fits in 64 bits of milliseconds",
            ),
            (
                "18446744073709551615s",
                "\"18446744073709551615s\" is too long; a duration fits in 64 bits of milliseconds",
            ),
            (
                "1s18446744073709551615ms",
                "\"1s18446744073709551615ms\" is too long; a duration fits in 64 bits of milliseconds",
            ),
        ] {
            assert_eq!(parse(text), Err(message.to_owned()), "{text}");
        }
    }
}
