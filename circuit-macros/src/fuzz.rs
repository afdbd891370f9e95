//! Whatever the tokens: no panic, and no item that is lost.

use proc_macro2::TokenStream;
use quote::quote;

use crate::expand::circuit_breaker;

const LIST: &str = r#"
    max_failures window reset timeout name crate windwo LIMIT = = = = = == => , , , , ; 0 5 5u32 -
    failure_rate slow_call slow_rate min_calls max_reset jitter probes interval 0.5 "50%" 99999999
    fallback key max_keys breaker await return &
    failure_if ignore_if 1.5 "10s" "1m30s" "" "\u{0}" "é1" true 's' |x| ( ) { } [ ] < > :: # ! ? . 'a _ r#type if const
"#;

const PAIRS: &str = r#"
    max_failures=3, max_failures=LIMIT, window="10s", window=100, window=1, window=LIMIT,
    failure_rate=0.5, failure_rate="57%", failure_rate=LIMIT, slow_call="2s", slow_rate=1,
    slow_rate="0%", min_calls=7, min_calls=LIMIT, reset="1m", reset=LIMIT, max_reset="40s",
    max_reset=LIMIT, jitter=0.1, probes=3, probes=0, timeout="2s", name="quote",
    failure_if=is_outage, failure_if=|error|error.is_outage(), failure_if=true, ignore_if=E::ours,
    ignore_if=|e|{matches!(e,E::Ours)}, ignore_if=|e|, fallback=Ok(x), fallback=|e|Err(e), fallback=|e|{e.},
    fallback={Ok(7)}, fallback=|a,b|1, fallback=7, key=x, key=&x.name, key=x., max_keys=7, max_keys=LIMIT,
    breaker=x, breaker=x.lock(), breaker="x", crate=::renamed, crate="x",
"#;

const ITEM: &str = r#"
    async async fn fn fn quote quote ( ) ( ) ( ) -> Result<u8,E> Result<u8,E> impl Display { } { }
    { } pub pub(crate) const unsafe extern "C" default struct trait mod ; , : mut self & 'a < > <T>
    where #[circuit_breaker] #[cfg(any())] # ! macro_rules .. x:u8 #![allow(unused)] Ok(1) let x=y.;
"#;

/// Marsaglia's xorshift: the same sequence on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).map_or(0, |number| number % bound)
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
        // Only what has matching brackets reaches an attribute.
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
                assert!(expanded.contains("__private :: rejected"), "{expanded}");
            }
        }
    }
}
