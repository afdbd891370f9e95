//! Durations as text: `"30s"`, `"1m30s"`, `"250ms"`.
//!
//! # Examples
//!
//! ```
//! use circuit_options::durations;
//!
//! // Each text is read, and written as its shortest one.
//! for (text, shortest) in [("1m30s", "90s"), ("60m", "1h"), ("250ms", "250ms")] {
//!     let duration = durations::parse(text)?;
//!     assert_eq!(durations::format(duration).as_deref(), Some(shortest));
//! }
//! # Ok::<(), String>(())
//! ```

use std::fmt::Write;
use std::time::Duration;

/// The units, the largest first, and their lengths in microseconds.
const UNITS: [(&str, u128); 6] = [
    ("d", 86_400_000_000),
    ("h", 3_600_000_000),
    ("m", 60_000_000),
    ("s", 1_000_000),
    ("ms", 1_000),
    ("us", 1),
];

/// The longest duration of whole microseconds: all that a [`Duration`] has room for.
///
/// # Examples
///
/// ```
/// use circuit_options::durations::{LONGEST, rounded_up};
/// use std::time::Duration;
///
/// assert_eq!(rounded_up(Duration::MAX), LONGEST);
/// ```
pub const LONGEST: Duration = Duration::new(u64::MAX, 999_999_000);

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
///     "unknown unit `sec` in \"10 sec\"; write \"10s\"",
/// );
/// ```
pub fn parse(text: &str) -> Result<Duration, String> {
    if text.trim().is_empty() {
        return Err("an empty duration; write one such as \"30s\"".to_owned());
    }
    let dense: String = text.split_whitespace().collect();
    let duration = parse_dense(&dense, text)?;
    if dense != text {
        return Err(format!(
            "a duration has no spaces; write {dense:?} for {text:?}"
        ));
    }
    Ok(duration)
}

/// Reads a duration without its spaces, which errors quote as it is `written`.
fn parse_dense(text: &str, written: &str) -> Result<Duration, String> {
    let mut total: u128 = 0;
    let mut smallest: Option<(&str, u128)> = None;
    let mut rest = text;
    while !rest.is_empty() {
        let (number, unit);
        (number, rest) = split_while(rest, |letter| letter.is_ascii_digit());
        (unit, rest) = split_while(rest, |letter| !letter.is_ascii_digit());

        let length = check_piece(number, unit, written)?;
        if let Some((before, shorter)) = smallest {
            if length == shorter {
                return Err(format!(
                    "unit `{unit}` is written twice in {written:?}; add the two up"
                ));
            }
            if length > shorter {
                return Err(format!(
                    "unit `{unit}` comes after `{before}` in {written:?}; write the largest unit first"
                ));
            }
        }
        smallest = Some((unit, length));
        total = number
            .parse::<u128>()
            .ok()
            .and_then(|number| number.checked_mul(length))
            .and_then(|piece| total.checked_add(piece))
            .ok_or_else(|| too_long(written))?;
    }
    from_micros(total).ok_or_else(|| too_long(written))
}

/// Rounds a duration up to whole microseconds, and the few that are longer than [`LONGEST`] down to
/// it.
///
/// # Examples
///
/// ```
/// use circuit_options::durations::rounded_up;
/// use std::time::Duration;
///
/// assert_eq!(rounded_up(Duration::from_nanos(1_001)), Duration::from_micros(2));
/// assert_eq!(rounded_up(Duration::from_micros(2)), Duration::from_micros(2));
/// ```
#[must_use]
pub const fn rounded_up(duration: Duration) -> Duration {
    let missing = match duration.subsec_nanos() % 1_000 {
        0 => 0,
        more => 1_000 - more,
    };
    match duration.checked_add(Duration::new(0, missing)) {
        Some(whole) => whole,
        None => LONGEST,
    }
}

/// Writes a duration as its shortest text: of the ways to split it into units, the one with the
/// fewest characters, and of several that are as short, the one with the fewest pieces.
///
/// Returns `None` for a duration that is not a whole number of microseconds, which no text can
/// stand for.
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
/// assert_eq!(format(Duration::from_millis(90_000_001)).as_deref(), Some("25h1ms"));
/// assert_eq!(format(Duration::from_nanos(1)), None);
/// ```
#[must_use]
pub fn format(duration: Duration) -> Option<String> {
    if duration.subsec_nanos() % 1_000 != 0 {
        return None;
    }
    if duration.is_zero() {
        return Some("0s".to_owned());
    }
    let choices = 1..1_u32 << UNITS.len();
    let texts = choices.filter_map(|units| Some((units.count_ones(), split(duration, units)?)));
    let shortest = texts.min_by_key(|(pieces, text)| (text.len(), *pieces));
    shortest.map(|(_, text)| text)
}

/// Splits a duration into the chosen units, one bit for each of them; `None` unless they fit it and
/// each is needed.
fn split(duration: Duration, units: u32) -> Option<String> {
    let mut rest = duration.as_micros();
    let mut text = String::new();
    for (position, (unit, length)) in UNITS.iter().enumerate() {
        if units >> position & 1 == 1 {
            match rest / length {
                0 => return None,
                number => write!(text, "{number}{unit}").ok()?,
            }
            rest %= length;
        }
    }
    (rest == 0).then_some(text)
}

/// Returns a duration of this many microseconds, if it is not too long.
fn from_micros(micros: u128) -> Option<Duration> {
    let seconds = u64::try_from(micros / 1_000_000).ok()?;
    let rest = u64::try_from(micros % 1_000_000).ok()?;
    Duration::from_secs(seconds).checked_add(Duration::from_micros(rest))
}

fn too_long(text: &str) -> String {
    format!("{text:?} is too long; a duration fits in 64 bits of seconds; write a shorter one")
}

/// Returns the length of the unit of one piece, in microseconds, if the piece is complete.
fn check_piece(number: &str, unit: &str, text: &str) -> Result<u128, String> {
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
    micros_in(unit).ok_or_else(|| {
        let advice = match in_short(text) {
            Some(short) => format!("write {short:?}"),
            None => "expected `us`, `ms`, `s`, `m`, `h` or `d`".to_owned(),
        };
        format!("unknown unit `{unit}` in {text:?}; {advice}")
    })
}

/// Returns the duration with its units as they are written here, if that makes it valid.
fn in_short(text: &str) -> Option<String> {
    let dense: String = text.split_whitespace().collect();
    let mut short = String::new();
    let mut rest = &*dense;
    while !rest.is_empty() {
        let (number, unit);
        (number, rest) = split_while(rest, |letter| letter.is_ascii_digit());
        (unit, rest) = split_while(rest, |letter| !letter.is_ascii_digit());
        short.push_str(number);
        short.push_str(match unit.to_lowercase().as_str() {
            // The sign of micro and the Greek letter, of which one looks like the other.
            "us" | "\u{b5}s" | "\u{3bc}s" | "usec" | "usecs" | "micro" | "micros"
            | "microsecond" | "microseconds" => "us",
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

/// Returns the length of a unit, in microseconds.
fn micros_in(unit: &str) -> Option<u128> {
    let mut units = UNITS.iter();
    units.find_map(|(name, micros)| (*name == unit).then_some(*micros))
}

/// Splits a text after its longest beginning whose letters all pass.
fn split_while(text: &str, pass: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|letter| !pass(letter)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, UNITS, format, from_micros, parse, rounded_up};
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
            ("1000us", 1),
            ("1s2ms3000us", 1_005),
            // Zero is a duration; each option decides whether it takes it.
            ("0s", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn formatted_text_is_the_shortest_and_can_be_read() {
        for (micros, text) in [
            (0, "0s"),
            (1, "1us"),
            (1_000, "1ms"),
            (1_500, "1500us"),
            (1_500_000, "1500ms"),
            (1_000_000, "1s"),
            (1_000_001, "1s1us"),
            (10_001_000, "10s1ms"),
            (100_001_000, "100s1ms"),
            (1_000_001_000, "1000s1ms"),
            (100_000_000_000, "100000s"),
            (90_000_000, "90s"),
            (300_000_000, "5m"),
            (93_600_000_000, "26h"),
            (86_400_001_000, "1d1ms"),
            (90_000_001_000, "25h1ms"),
            (90_060_000_001, "1501m1us"),
            (172_800_000_000, "2d"),
            (u64::MAX, "18446744073709551615us"),
        ] {
            let duration = Duration::from_micros(micros);
            assert_eq!(format(duration).as_deref(), Some(text));
            assert_eq!(parse(text), Ok(duration), "{text}");
        }
        assert_eq!(format(Duration::from_nanos(1_000_001)), None);
        assert_eq!(format(Duration::from_nanos(1)), None);
        assert_eq!(format(Duration::MAX), None);
        let longest = "5124095576030431h15999999us";
        assert_eq!(format(LONGEST).as_deref(), Some(longest));
        assert_eq!(parse(longest), Ok(LONGEST));
    }

    /// Spans of every size, some of them round: each reads back equal, and in no text that would
    /// take less room.
    #[test]
    fn every_span_of_whole_microseconds_reads_back_equal() {
        let mut random: u128 = 88_172_645_463_325_252;
        for round in 0..2_000 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            for (_, unit) in UNITS {
                let micros = (random >> (round % 128)) % (LONGEST.as_micros() + 1);
                let micros = micros / unit * unit;
                let duration = from_micros(micros).unwrap_or_default();
                assert_eq!(duration.as_micros(), micros);
                let text = format(duration).unwrap_or_default();
                assert_eq!(parse(&text), Ok(duration), "{text}");
                let in_one_unit = std::format!("{}us", micros.max(1));
                assert!(text.len() <= in_one_unit.len(), "{text}");
            }
        }
    }

    #[test]
    fn a_part_of_a_microsecond_is_a_whole_one() {
        for (nanos, micros) in [
            (0, 0),
            (1, 1),
            (999, 1),
            (1_000, 1),
            (1_001, 2),
            (999_999_999, 1_000_000),
        ] {
            let rounded = rounded_up(Duration::from_nanos(nanos));
            assert_eq!(rounded, Duration::from_micros(micros), "{nanos}");
        }
        assert_eq!(rounded_up(Duration::MAX), LONGEST);
        assert_eq!(rounded_up(LONGEST), LONGEST);
    }

    #[test]
    fn mistakes_say_what_to_write() {
        for (text, message) in [
            ("", "an empty duration; write one such as \"30s\""),
            (" ", "an empty duration; write one such as \"30s\""),
            ("10 sec", "unknown unit `sec` in \"10 sec\"; write \"10s\""),
            (
                "1min30secs",
                "unknown unit `min` in \"1min30secs\"; write \"1m30s\"",
            ),
            (
                "30secs1min",
                "unknown unit `secs` in \"30secs1min\"; expected `us`, `ms`, `s`, `m`, `h` or `d`",
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
                "unknown unit `x` in \"10x\"; expected `us`, `ms`, `s`, `m`, `h` or `d`",
            ),
            (
                "10ns",
                "unknown unit `ns` in \"10ns\"; expected `us`, `ms`, `s`, `m`, `h` or `d`",
            ),
            ("10µs", "unknown unit `µs` in \"10µs\"; write \"10us\""),
            ("10μs", "unknown unit `μs` in \"10μs\"; write \"10us\""),
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
                "18446744073709551616s",
                "\"18446744073709551616s\" is too long; a duration fits in 64 bits of seconds; write a shorter one",
            ),
            (
                "18446744073709551615s1000ms",
                "\"18446744073709551615s1000ms\" is too long; a duration fits in 64 bits of seconds; write a shorter one",
            ),
            (
                "999999999999999999999999999999999999999999d",
                "\"999999999999999999999999999999999999999999d\" is too long; a duration fits in 64 \
                 bits of seconds; write a shorter one",
            ),
        ] {
            assert_eq!(parse(text), Err(message.to_owned()), "{text}");
        }
    }
}
