//! Random input: any tokens expand without a panic and keep their item, and any text of a duration
//! is a duration or an error.

use std::time::Duration;

use circuit_options::durations::{LONGEST, format as shortest, parse};
use proc_macro2::TokenStream;
use quote::quote;

use crate::expand::circuit_breaker;

const LIST: &str = r#"
    max_failures window reset timeout name crate windwo LIMIT = = = = = == => , , , , ; 0 5 5u32 -
    failure_rate slow_call slow_rate min_calls max_reset jitter probes interval 0.5 "50%" 99999999
    fallback or_else error key max_keys breaker await return &
    failure_if ignore_if retry_after classify ramp 1.5 "10s" "1m30s" "" "\u{0}" "é1" true 's' |x| ( ) { } [ ] < > :: # ! ? . 'a _ r#type if const
"#;

const PAIRS: &str = r#"
    max_failures=3, max_failures=LIMIT, window="10s", window=100, window=1, window=LIMIT,
    failure_rate=0.5, failure_rate="57%", failure_rate=LIMIT, slow_call="2s", slow_rate=1,
    slow_rate="0%", min_calls=7, min_calls=LIMIT, reset="1m", reset=LIMIT, max_reset="40s",
    max_reset=LIMIT, jitter=0.1, probes=3, probes=0, timeout="2s", name="quote",
    failure_if=is_outage, failure_if=|error|error.is_outage(), failure_if=true, ignore_if=E::ours,
    ignore_if=|e|{matches!(e,E::Ours)}, ignore_if=|e|, fallback=Ok(x), fallback=|e|Err(e), fallback=|e|{e.},
    fallback={Ok(7)}, fallback=|a,b|1, fallback=7, key=x, key=&x.name, key=x., max_keys=7, max_keys=LIMIT,
    breaker=x, breaker=x.lock(), breaker="x", retry_after=|e|e.wait, retry_after=E::wait, classify=|r|verdict(r), classify=7, ramp="20s", or_else=|e|Err(e), or_else=|_|{x.}, or_else=Ok(7), error=Status::of, error=|e|Status(e), error=|e|{e.}, error=||7, crate=::renamed, crate="x",
"#;

const ITEM: &str = r#"
    async async fn fn fn quote quote ( ) ( ) ( ) -> Result<u8,E> Result<u8,E> impl Display { } { }
    { } pub pub(crate) const unsafe extern "C" default struct trait mod ; , : mut self & 'a < > <T>
    where #[circuit_breaker] #[cfg(any())] # ! macro_rules .. x:u8 #![allow(unused)] Ok(1) let x=y.;
"#;

/// Pieces of durations, and of other text.
const PIECES: [&str; 40] = [
    "0",
    "1",
    "7",
    "30",
    "007",
    "99",
    "18446744073709551615",
    "18446744073709551616",
    "213503982334",
    "99999999999999999999999999",
    "ms",
    "s",
    "m",
    "h",
    "d",
    "S",
    "sec",
    "us",
    "µs",
    "ns",
    "w",
    "-",
    "+",
    ".",
    ",",
    ":",
    "_",
    "e",
    "\"",
    "\\",
    " ",
    "\t",
    "\n",
    "\u{a0}",
    "\u{2003}",
    "\0",
    "٣",
    "３",
    "é",
    "🦀",
];

/// The units, largest first, in microseconds.
const UNITS: [(&str, u128); 6] = [
    ("d", 86_400_000_000),
    ("h", 3_600_000_000),
    ("m", 60_000_000),
    ("s", 1_000_000),
    ("ms", 1_000),
    ("us", 1),
];

/// A pseudo-random sequence, the same on every run: Marsaglia's xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).map_or(0, |number| number % bound)
    }

    /// Returns the concatenation of up to so many pieces.
    fn text(&mut self, pieces: usize) -> String {
        (0..self.below(pieces + 1))
            .filter_map(|_| PIECES.get(self.below(PIECES.len())).copied())
            .collect()
    }

    /// Returns a number of any magnitude.
    fn number(&mut self) -> u64 {
        let bits = self.below(65);
        self.below(2);
        self.0
            .checked_shr(64 - u32::try_from(bits).unwrap_or(0))
            .unwrap_or(0)
    }

    fn words(&mut self, words: &str) -> String {
        let words: Vec<_> = words.split_whitespace().collect();
        let chosen: Vec<_> = (0..self.below(14))
            .filter_map(|_| words.get(self.below(words.len())).copied())
            .collect();
        chosen.join(" ")
    }
}

#[test]
fn any_tokens_expand() {
    let function: TokenStream = quote!(
        async fn quote(mut x: u8) -> Result<u8, E> {
            Ok(x)
        }
    );
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut tried = 0;
    while tried < 5_000 {
        // Only tokens with matching brackets reach an attribute.
        let (Ok(list), Ok(pairs), Ok(item)) = (
            random.words(LIST).parse::<TokenStream>(),
            random.words(PAIRS).parse::<TokenStream>(),
            random.words(ITEM).parse::<TokenStream>(),
        ) else {
            continue;
        };
        tried += 1;
        for (list, item) in [
            (list.clone(), item.clone()),
            (list, function.clone()),
            (pairs, function.clone()),
            (TokenStream::new(), item),
        ] {
            let expanded = circuit_breaker(list, &item).to_string();
            if expanded.contains("compile_error") {
                assert!(expanded.starts_with(&item.to_string()), "{expanded}");
            } else {
                assert!(expanded.contains("__private :: guard"), "{expanded}");
                assert!(expanded.contains("__private :: never"), "{expanded}");
            }
        }
    }
}

/// Returns the only text in which no piece is as long as the next larger unit.
fn written(length: Duration) -> String {
    let mut rest = length.as_micros();
    let pieces = UNITS.map(|(unit, micros)| {
        let number = rest / micros;
        rest %= micros;
        if number > 0 {
            format!("{number}{unit}")
        } else {
            String::new()
        }
    });
    let text = pieces.concat();
    if text.is_empty() {
        "0s".to_owned()
    } else {
        text
    }
}

#[test]
fn any_text_is_a_duration_or_an_error() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut durations = 0;
    for _ in 0..300_000 {
        let text = random.text(6);
        match parse(&text) {
            Ok(length) => {
                durations += 1;
                let is_of_one = |letter: char| letter.is_ascii_digit() || "dhmsu".contains(letter);
                assert!(text.chars().all(is_of_one), "{text:?}");
                assert_eq!(parse(&written(length)), Ok(length), "{text:?}");
                let shortest = shortest(length).unwrap_or_default();
                assert_eq!(parse(&shortest), Ok(length), "{shortest:?}");
                assert!(shortest.len() <= written(length).len(), "{shortest:?}");
            }
            Err(message) => {
                let dense: String = text.split_whitespace().collect();
                let quotes = message.contains(&format!("{text:?}"))
                    || message.contains(&format!("{dense:?}"))
                    || dense.is_empty();
                assert!(quotes, "{message} for {text:?}");
                assert!(!message.starts_with(char::is_uppercase), "{message}");
            }
        }
    }
    assert!(durations > 1_000, "{durations} of them were durations");
}

#[test]
fn pieces_of_any_size_add_up_or_are_too_long() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut too_long = 0;
    for _ in 0..100_000 {
        let mut sum = 0_u128;
        let pieces = UNITS.map(|(unit, micros)| {
            if random.below(2) == 0 {
                return String::new();
            }
            let number = random.number();
            sum += u128::from(number) * micros;
            format!("{number}{unit}")
        });
        let text = pieces.concat();
        let read = parse(&text);
        if text.is_empty() {
            assert!(read.is_err());
        } else if sum <= LONGEST.as_micros() {
            assert_eq!(read.map(|length| length.as_micros()), Ok(sum), "{text}");
        } else {
            too_long += 1;
            let message = read.err().unwrap_or_default();
            assert!(message.contains("is too long"), "{message} for {text}");
        }
    }
    assert!(
        (1_000..99_000).contains(&too_long),
        "{too_long} were too long"
    );
}

#[test]
fn any_text_in_an_attribute_expands() {
    let function: TokenStream = quote!(
        async fn quote() -> Result<u8, E> {
            Ok(1)
        }
    );
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for _ in 0..5_000 {
        let text = random.text(6);
        let list = match random.below(4) {
            0 => quote!(window = #text),
            1 => quote!(reset = #text, max_reset = #text),
            2 => quote!(timeout = #text),
            _ => quote!(window = 9, failure_rate = #text, jitter = #text, name = #text),
        };
        let expanded = circuit_breaker(list, &function).to_string();
        let is_error = expanded.contains("compile_error");
        assert!(
            is_error || expanded.contains("__CIRCUIT_BREAKER"),
            "{expanded}"
        );
        if is_error {
            assert!(expanded.starts_with(&function.to_string()), "{expanded}");
        }
    }
}
