//! The breaker of a key, which is a string or can be shown as one.

use std::cell::Cell;
use std::fmt::{Display, Write};
use std::sync::Arc;

use crate::breaker::CircuitBreaker;
use crate::config::Config;
use crate::keyed::Breakers;
use crate::name::Name;

/// One breaker for each key of a function.
pub struct Keyed(Arc<Breakers>);

impl Keyed {
    /// At most `max_keys` breakers of these rules, unless all of them are busy.
    #[must_use]
    pub fn new(name: &'static str, config: Config, max_keys: u32) -> Self {
        Self(Breakers::new(Name::from(name), config, max_keys))
    }
}

/// What was written for a key.
pub struct Key<'k, K: ?Sized>(&'k K);

/// The one place where a key is held to what it must be able to do.
#[inline]
pub const fn key_of<K: KeyValue + ?Sized>(key: &K) -> Key<'_, K> {
    Key(key)
}

// The method of a `&&&Key` is that of the first trait which allows the type: each asks for one reference
// less. So a string is found as it is, only what is none is written out, and what is no key gets no
// second error. The long name is no method of a trait that the user has for every type.

/// A key that is a string.
pub trait Text {
    /// Its breaker.
    fn __circuit_breaker_of(&self, breakers: &Keyed) -> CircuitBreaker;
}

/// A key that can be shown.
pub trait Shown {
    /// Its breaker.
    fn __circuit_breaker_of(&self, breakers: &Keyed) -> CircuitBreaker;
}

/// What is no key, which [`key_of`] refuses.
pub trait Other {
    /// Its breaker.
    fn __circuit_breaker_of(&self, breakers: &Keyed) -> CircuitBreaker;
}

/// What can be a key.
#[diagnostic::on_unimplemented(
    message = "`key` takes a string or what implements `Display`; write one of its fields, or of several parts `key = format!(\"{{a}}/{{b}}\")`",
    label = "is of type `{Self}`",
    note = "a type parameter `T` needs the bound `T: std::fmt::Display`"
)]
pub trait KeyValue {}

#[diagnostic::do_not_recommend]
impl<K: Display + ?Sized> KeyValue for K {}

impl<K: AsRef<str> + ?Sized> Text for &&Key<'_, K> {
    #[inline]
    fn __circuit_breaker_of(&self, Keyed(breakers): &Keyed) -> CircuitBreaker {
        breakers.of(self.0.as_ref())
    }
}

impl<K: Display + ?Sized> Shown for &Key<'_, K> {
    fn __circuit_breaker_of(&self, Keyed(breakers): &Keyed) -> CircuitBreaker {
        shown(self.0, |key| breakers.of(key))
    }
}

impl<K: ?Sized> Other for Key<'_, K> {
    fn __circuit_breaker_of(&self, Keyed(breakers): &Keyed) -> CircuitBreaker {
        breakers.of("")
    }
}

thread_local! {
    /// Where keys are written out, so that not each takes memory of its own.
    static WRITTEN: Cell<String> = const { Cell::new(String::new()) };
}

/// Of a longer key a thread does not keep the memory.
const KEPT: usize = 1_024;

/// Hands on what `value` shows itself as.
fn shown<R>(value: &(impl Display + ?Sized), act: impl FnOnce(&str) -> R) -> R {
    // Taken out, as showing it may come here again. A thread that is ending has none.
    let mut written = WRITTEN.try_with(Cell::take).unwrap_or_default();
    written.clear();
    // What fails to show itself is known by what it came to.
    let _ = write!(written, "{value}");
    let result = act(&written);
    if written.capacity() <= KEPT {
        let _ = WRITTEN.try_with(|place| place.set(written));
    }
    result
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests {
    use super::{KEPT, WRITTEN, shown};

    #[test]
    fn a_long_key_leaves_no_memory_behind() {
        for (length, kept) in [(1_000_000, 0..=0), (10, 10..=KEPT)] {
            assert_eq!(shown(&"x".repeat(length), str::len), length);
            let capacity = WRITTEN.take().capacity();
            assert!(kept.contains(&capacity), "{capacity} of {length}");
        }
    }
}
