//! Compile-time checks of attribute options, reported at the option.

use std::ops::Deref;
use std::time::Duration;

use circuit_options::names::OptionName;
use circuit_options::rules::Rule;

use crate::config::{Config, ConfigBuilder, ConfigError};

/// Unwraps the configuration of an attribute, or fails to compile at the attribute.
#[must_use]
#[track_caller]
pub const fn valid(config: Result<Config, ConfigError>) -> Config {
    match config {
        Ok(config) => config,
        Err(error) => refuse(error.message()),
    }
}

macro_rules! check {
    ($($name:ident: $option:ident;)*) => {
        $(
            /// Returns the builder, or fails to compile here if this is the option that must
            /// change.
            #[track_caller]
            pub const fn $name(config: ConfigBuilder) -> ConfigBuilder {
                match config.error_at(OptionName::$option) {
                    None => config,
                    Some(error) => refuse(error.message()),
                }
            }
        )*
    };
}

check! {
    max_failures: MaxFailures;
    window: Window;
    failure_rate: FailureRate;
    slow_call: SlowCall;
    slow_rate: SlowRate;
    min_calls: MinCalls;
    reset: Reset;
    max_reset: MaxReset;
    jitter: Jitter;
    probes: Probes;
    timeout: Timeout;
    ramp: Ramp;
}

/// Returns the bound on the number of keys, or fails to compile here if it is 0.
#[must_use]
#[track_caller]
pub const fn max_keys(most: u32) -> u32 {
    match most {
        0 => refuse(Rule::ZeroMaxKeys.message()),
        most => most,
    }
}

/// A pointer that an option dereferences.
pub struct Pointer<'p, T>(pub &'p T);

/// Checks that a constant can dereference this, which a `LazyLock` does at run time only.
pub const fn dereferenced<'p, T>(_: &Pointer<'p, T>)
where
    Pointer<'p, T>: ConstantDeref<T>,
{
}

/// The pointers that a constant can dereference.
///
/// With a parameter for the type: of another type, rustc would propose to borrow the pointer.
#[diagnostic::on_unimplemented(
    message = "a rule is a constant, and this is known at run time only; make a `CircuitBreaker`, and write `breaker = ..`",
    label = "is of type `{T}`, which no constant can dereference"
)]
pub trait ConstantDeref<T> {}

#[diagnostic::do_not_recommend]
impl<T: IsReference> ConstantDeref<T> for Pointer<'_, T> {}

/// A shared reference.
pub trait IsReference {}

impl<T: ?Sized> IsReference for &T {}

/// Wraps a `window` that is a constant expression: a span of time or a number of calls.
pub const fn window_of<T: WindowSize>(window: T) -> Window<T> {
    Window(window, NoWindow)
}

/// The type of a `window`.
#[diagnostic::on_unimplemented(
    message = "`window` takes a span of time, a `Duration`, or a number of calls, a `u32`",
    label = "is of type `{Self}`"
)]
pub trait WindowSize: Copy {}

impl WindowSize for Duration {}
impl WindowSize for u32 {}

/// A window of either type, not yet set on a builder.
pub struct Window<T>(T, NoWindow);

impl Window<Duration> {
    /// Sets the window.
    pub const fn set(self, config: ConfigBuilder) -> ConfigBuilder {
        config.window(self.0)
    }
}

impl Window<u32> {
    /// Sets the window.
    pub const fn set(self, config: ConfigBuilder) -> ConfigBuilder {
        config.last_calls(self.0)
    }
}

impl<T> Deref for Window<T> {
    type Target = NoWindow;

    fn deref(&self) -> &NoWindow {
        &self.1
    }
}

/// Stands in for a window of any other type, so that [`window_of`] reports the only error.
pub struct NoWindow;

impl NoWindow {
    /// Returns the builder unchanged.
    pub fn set(&self, config: ConfigBuilder) -> ConfigBuilder {
        config
    }
}

#[track_caller]
#[expect(
    clippy::panic,
    reason = "while a constant is evaluated, this is a compile error"
)]
const fn refuse(message: &str) -> ! {
    panic!("{}", message)
}
