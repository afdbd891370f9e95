//! The expression given as `key`: a string, or anything else that implements `Display`.

use std::cell::Cell;
use std::fmt::{Display, Write};

use crate::breakers::CircuitBreakers;
use crate::keyed::KeyedHandle;

/// Text buffers larger than this are not kept.
const MAX_KEPT: usize = 1_024;

/// The expression given as `key`.
pub struct Key<'k, K: ?Sized>(&'k K);

/// Wraps a key. Nothing else bounds its type: a second bound would report the same error twice.
#[inline]
pub const fn key_of<K: KeyValue + ?Sized>(key: &K) -> Key<'_, K> {
    Key(key)
}

/// The types that can be a key.
#[diagnostic::on_unimplemented(
    message = "`key` takes a string or what implements `Display`; write one of its fields, or of several parts `key = format!(\"{{a}}/{{b}}\")`",
    label = "is of type `{Self}`",
    note = "a type parameter `T` needs the bound `T: std::fmt::Display`"
)]
pub trait KeyValue {}

#[diagnostic::do_not_recommend]
impl<K: Display + ?Sized> KeyValue for K {}

// Autoref specialization: method lookup on `&&&Key` tries `StrKey`, then `DisplayKey`, then
// `NoKey`. Strings are looked up as they are, other `Display` types are formatted, and anything
// else falls through to `NoKey`, so that `key_of` reports the only error. The long method name
// cannot be that of a trait which the user has implemented for every type.

/// A key that is a string.
pub trait StrKey {
    /// Returns a handle to the breaker of this key.
    fn __circuit_breaker_of(&self, breakers: &CircuitBreakers) -> KeyedHandle;
}

impl<K: AsRef<str> + ?Sized> StrKey for &&Key<'_, K> {
    #[inline]
    fn __circuit_breaker_of(&self, breakers: &CircuitBreakers) -> KeyedHandle {
        breakers.handle(self.0.as_ref())
    }
}

/// A key that is formatted.
pub trait DisplayKey {
    /// Returns a handle to the breaker of this key.
    fn __circuit_breaker_of(&self, breakers: &CircuitBreakers) -> KeyedHandle;
}

impl<K: Display + ?Sized> DisplayKey for &Key<'_, K> {
    fn __circuit_breaker_of(&self, breakers: &CircuitBreakers) -> KeyedHandle {
        with_text(self.0, |key| breakers.handle(key))
    }
}

/// Any other type, which [`key_of`] rejects.
pub trait NoKey {
    /// Returns some handle, for code that does not compile.
    fn __circuit_breaker_of(&self, breakers: &CircuitBreakers) -> KeyedHandle;
}

impl<K: ?Sized> NoKey for Key<'_, K> {
    fn __circuit_breaker_of(&self, breakers: &CircuitBreakers) -> KeyedHandle {
        breakers.handle("")
    }
}

thread_local! {
    /// The buffer that keys are formatted in, so that a key does not allocate one of its own.
    static BUFFER: Cell<String> = const { Cell::new(String::new()) };
}

/// Calls `act` with `value` formatted.
fn with_text<R>(value: &(impl Display + ?Sized), act: impl FnOnce(&str) -> R) -> R {
    // Taken out, as `fmt` may call this function again. A thread that is ending has no buffer.
    let mut text = BUFFER.try_with(Cell::take).unwrap_or_default();
    text.clear();
    // If `Display` fails, the key is whatever was written so far.
    let _ = write!(text, "{value}");
    let result = act(&text);
    if text.capacity() <= MAX_KEPT {
        let _ = BUFFER.try_with(|buffer| buffer.set(text));
    }
    result
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests {
    use super::{BUFFER, MAX_KEPT, with_text};

    #[test]
    fn the_buffer_of_a_long_key_is_not_kept() {
        for (length, kept) in [(1_000_000, 0..=0), (10, 10..=MAX_KEPT)] {
            assert_eq!(with_text(&"x".repeat(length), str::len), length);
            let capacity = BUFFER.take().capacity();
            assert!(kept.contains(&capacity), "{capacity} of {length}");
        }
    }
}
