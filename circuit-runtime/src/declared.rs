//! The annotated functions of the program, called or not.

use std::fmt;

use crate::breaker::CircuitBreaker;
use crate::breakers::CircuitBreakers;
use crate::lazy::LazyBreaker;
use crate::name::Name;

/// An annotated function that is linked into the program, called or not.
///
/// Returned by [`registry::declared`](crate::registry::declared) and
/// [`registry::duplicates`](crate::registry::duplicates).
///
/// # Examples
///
/// ```
/// use circuit_runtime::{CircuitError, circuit_breaker, registry};
///
/// #[circuit_breaker(name = "orders", key = shop)]
/// async fn order(shop: &str) -> Result<(), CircuitError> {
///     // ..
///     # let _ = shop;
///     # Ok(())
/// }
///
/// let declared = registry::declared();
/// let orders = declared.iter().find(|function| function.name == "orders").unwrap();
/// println!("{} is annotated in {}:{}", orders.name, orders.file, orders.line);
/// assert!(orders.breaker().is_none() && orders.breakers().is_some()); // it has a key
/// # let _ = order("acme");
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Declared {
    /// The name of the function's breaker: `crate::module::function`, or its option `name`.
    pub name: Name,
    /// The source file of the attribute, as in [`file!`].
    pub file: &'static str,
    /// The line of the attribute in `file`, or that of a macro of the program that wrote it.
    pub line: u32,
    breaker: Static,
}

impl Declared {
    pub(crate) fn from_declaration(declaration: &Declaration) -> Self {
        Self {
            name: Name::from(declaration.name),
            file: declaration.file,
            line: declaration.line,
            breaker: declaration.breaker,
        }
    }

    /// Returns the function's breaker, created if the function was not called yet; `None` if the
    /// function has one for each `key`.
    ///
    /// From then on, [`registry::all`](crate::registry::all) lists the breaker.
    ///
    /// # Examples
    ///
    /// A service that is known to be down is not called even once:
    ///
    /// ```
    /// use circuit_runtime::{CircuitError, circuit_breaker, registry};
    ///
    /// #[circuit_breaker(name = "legacy")]
    /// async fn legacy() -> Result<(), CircuitError> {
    ///     // ..
    ///     # Ok(())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// for function in registry::declared() {
    ///     if function.name == "legacy" {
    ///         function.breaker().unwrap().force_open();
    ///     }
    /// }
    /// assert!(legacy().await.is_err());
    /// # }
    /// ```
    #[must_use]
    pub fn breaker(&self) -> Option<CircuitBreaker> {
        match self.breaker {
            Static::Single(breaker) => Some(CircuitBreaker::clone(breaker)),
            Static::Keyed(_) => None,
        }
    }

    /// Returns the function's breakers, one for each `key`; `None` if the function has a single
    /// one.
    ///
    /// Keys are not known before they are used, so each is held open on its own. Overrides from a
    /// file, with the feature `serde`, hold all of them.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitError, circuit_breaker, registry};
    ///
    /// #[circuit_breaker(name = "page", key = host)]
    /// async fn page(host: &str) -> Result<String, CircuitError> {
    ///     // ..
    ///     # Ok(host.to_owned())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// for function in registry::declared() {
    ///     if function.name == "page" {
    ///         function.breakers().unwrap().get("old.example").force_open();
    ///     }
    /// }
    /// assert!(page("old.example").await.is_err());
    /// assert!(page("new.example").await.is_ok());
    /// # }
    /// ```
    #[must_use]
    pub fn breakers(&self) -> Option<CircuitBreakers> {
        match self.breaker {
            Static::Single(_) => None,
            Static::Keyed(breakers) => Some(CircuitBreakers::clone(breakers)),
        }
    }
}

impl fmt::Debug for Declared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Declared")
            .field("name", &self.name)
            .field("file", &self.file)
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

/// The entry that the expansion of the attribute submits.
pub struct Declaration {
    name: &'static str,
    file: &'static str,
    line: u32,
    breaker: Static,
}

/// The static item in the expansion.
#[derive(Clone, Copy)]
enum Static {
    Single(&'static LazyBreaker<CircuitBreaker>),
    Keyed(&'static LazyBreaker<CircuitBreakers>),
}

impl Declaration {
    /// Creates the entry of a function with a single breaker.
    pub const fn single(
        name: &'static str,
        file: &'static str,
        line: u32,
        breaker: &'static LazyBreaker<CircuitBreaker>,
    ) -> Self {
        Self {
            name,
            file,
            line,
            breaker: Static::Single(breaker),
        }
    }

    /// Creates the entry of a function with a breaker for each key.
    pub const fn keyed(
        name: &'static str,
        file: &'static str,
        line: u32,
        breakers: &'static LazyBreaker<CircuitBreakers>,
    ) -> Self {
        Self {
            name,
            file,
            line,
            breaker: Static::Keyed(breakers),
        }
    }
}

inventory::collect!(Declaration);

/// Returns all annotated functions, in the order of their names, files and lines.
pub(crate) fn all() -> Vec<Declared> {
    let declarations = inventory::iter::<Declaration>.into_iter();
    let mut all: Vec<_> = declarations.map(Declared::from_declaration).collect();
    all.sort_by(|a, b| (&a.name, a.file, a.line).cmp(&(&b.name, b.file, b.line)));
    all
}

/// Creates the breakers of all annotated functions that have not been called yet, so that the
/// registry lists them; for a keyed function, its `CircuitBreakers`, without keys.
pub(crate) fn create_all() {
    for declaration in inventory::iter::<Declaration> {
        match declaration.breaker {
            Static::Single(breaker) => _ = CircuitBreaker::clone(breaker),
            Static::Keyed(breakers) => _ = CircuitBreakers::clone(breakers),
        }
    }
}

/// Returns the annotated functions with the name of another one, in the same order.
pub(crate) fn duplicates() -> Vec<Declared> {
    let all = all();
    // In the order of names, those with the same one are adjacent.
    let groups = all.chunk_by(|a, b| a.name == b.name);
    groups
        .filter(|group| group.len() > 1)
        .flatten()
        .cloned()
        .collect()
}
