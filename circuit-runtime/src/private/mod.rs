//! Support code for the expansion of `#[circuit_breaker]`. Not public API: it changes with the
//! attribute, whose version is pinned.

mod admit;
mod after_body;
pub mod check;
mod classify;
mod fallback;
mod given;
mod guard;
pub mod key;
mod or_else;
mod rejection;
mod returned;
mod unused;

pub use admit::{Admit, Choice, admit};
pub use after_body::{AfterBody, Taken, after_body};
pub use classify::{Classifier, Judge, NotAResult, Predicate, Wait, any_classifier, classifier};
pub use fallback::{Instead, instead};
pub use given::{Given, Keyed, Single, borrowed, cloned, keyed};
pub use guard::{
    Admission, Admitted, Guard, GuardAdmitted, GuardTimed, guard, guard_admitted, guard_timed,
};
pub use or_else::{Ended, any_ended, ended};
pub use rejection::{MakeError, Rejection, rejection};
pub use returned::{AnyResult, FromCircuit, Returned, never, rejected};
pub use unused::{Keep, Unused};

pub use crate::breaker::CircuitBreaker;
pub use crate::breakers::CircuitBreakers;
pub use crate::config::Config;
#[cfg(feature = "discovery")]
pub use crate::declared::Declaration;
pub use crate::lazy::{LazyBreaker, function_breaker, function_breakers};
#[cfg(feature = "discovery")]
pub use inventory::submit as declare;

/// Expands to nothing. A build script and its program share the attribute, but not the features of
/// this crate: the attribute may declare its functions for one that has no list of them.
#[cfg(not(feature = "discovery"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __circuit_breaker_declare {
    ($($declaration:tt)*) => {};
}
#[cfg(not(feature = "discovery"))]
pub use crate::__circuit_breaker_declare as declare;
