//! The breakers of annotated functions.

use std::borrow::Cow;

use crate::breaker::CircuitBreaker;
use crate::breakers::CircuitBreakers;
use crate::circuit::Owner;
use crate::config::Config;

/// Creates the breaker of a function.
#[must_use]
pub fn function_breaker(name: &'static str, config: Config) -> CircuitBreaker {
    CircuitBreaker::for_owner(Cow::Borrowed(name), config, Owner::Function)
}

/// Creates the breakers of a function that has one for each key.
#[must_use]
pub fn function_breakers(name: &'static str, config: Config) -> CircuitBreakers {
    CircuitBreakers::for_owner(Cow::Borrowed(name), config, Owner::KeyedFunction)
}
