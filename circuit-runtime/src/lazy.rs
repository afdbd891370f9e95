//! The breakers of annotated functions, created by the first call.

use std::borrow::Cow;
use std::ops::Deref;

use once_cell::sync::OnceCell;

use crate::breaker::CircuitBreaker;
use crate::breakers::CircuitBreakers;
use crate::circuit::Owner;
use crate::config::Config;
use crate::registration::Registration;

/// The breaker of a function, or its breakers, created when it is first used.
///
/// A file may hold a circuit as it is created. This change is delivered once the cell is set, as a
/// listener may call the function.
pub struct LazyBreaker<B> {
    cell: OnceCell<B>,
    create: fn() -> Created<B>,
}

/// A breaker whose registration has yet to be delivered.
pub struct Created<B> {
    breaker: B,
    registration: Registration,
}

impl<B> LazyBreaker<B> {
    /// Creates an empty cell.
    #[must_use]
    pub const fn new(create: fn() -> Created<B>) -> Self {
        Self {
            cell: OnceCell::new(),
            create,
        }
    }

    #[cold]
    fn create(&self) -> &B {
        let mut registration = None;
        let breaker = self.cell.get_or_init(|| {
            let created = (self.create)();
            registration = Some(created.registration);
            created.breaker
        });
        if let Some(registration) = registration {
            registration.deliver();
        }
        breaker
    }
}

impl<B> Deref for LazyBreaker<B> {
    type Target = B;

    #[inline]
    fn deref(&self) -> &B {
        match self.cell.get() {
            Some(breaker) => breaker,
            None => self.create(),
        }
    }
}

/// Creates the breaker of a function.
#[must_use]
pub fn function_breaker(name: &'static str, config: Config) -> Created<CircuitBreaker> {
    let (breaker, registration) =
        CircuitBreaker::for_owner(Cow::Borrowed(name), config, Owner::Function);
    Created {
        breaker,
        registration,
    }
}

/// Creates the breakers of a function that has one for each key.
#[must_use]
pub fn function_breakers(
    name: &'static str,
    config: Config,
    max_keys: u32,
) -> Created<CircuitBreakers> {
    let (breakers, registration) =
        CircuitBreakers::for_owner(Cow::Borrowed(name), config, Owner::KeyedFunction);
    Created {
        breaker: breakers.max_keys(max_keys),
        registration,
    }
}
