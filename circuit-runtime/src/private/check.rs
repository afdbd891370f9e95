//! The options of an attribute, checked by the compiler: what is wrong is an error where it is written.

use std::ops::Deref;
use std::time::Duration;

use crate::config::{Config, ConfigBuilder, ConfigError, ConfigOption};

/// The rules that an attribute states, or a compile error at the attribute.
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
            /// The rules with this option, which is an error here if it must change.
            #[track_caller]
            pub const fn $name(config: ConfigBuilder) -> ConfigBuilder {
                match config.error_at(ConfigOption::$option) {
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
}

/// How many keys there may be, which is an error here if there could be none.
#[must_use]
#[track_caller]
pub const fn max_keys(most: u32) -> u32 {
    match most {
        0 => refuse("`max_keys` must be at least 1; with 0 no key could have a breaker"),
        most => most,
    }
}

/// A `window` that is a constant expression: a span of time or a number of calls.
pub const fn window_of<T: WindowSize>(window: T) -> Window<T> {
    Window(window, NoWindow)
}

/// What a window can be measured in.
#[diagnostic::on_unimplemented(
    message = "`window` takes a span of time, a `Duration`, or a number of calls, a `u32`",
    label = "is of type `{Self}`"
)]
pub trait WindowSize: Copy {}

impl WindowSize for Duration {}
impl WindowSize for u32 {}

/// A window that waits to be set.
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

/// What is no window. That is for [`window_of`] to say, once.
pub struct NoWindow;

impl NoWindow {
    /// Sets nothing.
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
