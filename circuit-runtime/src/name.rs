//! The name of a circuit breaker.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// The name of a circuit breaker, carried by errors and snapshots.
///
/// Dereferences to `str`. Cloning does not allocate, and so neither does a rejection.
///
/// A breaker made for a key is named after its function and the key, as `function[key]`;
/// [`function`](Self::function) and [`key`](Self::key) return the two parts.
///
/// A key of more than 256 bytes is shortened to its beginning, `…` and a hash of the rest in
/// hexadecimal, 256 bytes at most. The hash differs from process to process.
/// [`registry::find`](crate::registry::find) takes either form.
///
/// # Examples
///
/// ```
/// use circuit_runtime::Name;
/// use std::collections::HashMap;
///
/// let name = Name::from("payments");
/// assert_eq!(name, "payments");
/// assert!(name.starts_with("pay"));
/// assert_eq!((name.function(), name.key()), ("payments", None));
///
/// let alarms = HashMap::from([(name, 3)]);
/// assert_eq!(alarms.get("payments"), Some(&3));
/// ```
#[derive(Clone)]
pub struct Name(Text);

#[derive(Clone)]
enum Text {
    Static(&'static str),
    Shared {
        text: Arc<str>,
        /// The byte at which the key begins in `function[key]`; zero without a key.
        key_start: u32,
    },
}

impl Name {
    /// Creates the name `function[key]`.
    pub(crate) fn from_key(function: &str, key: &str) -> Self {
        // A function name of 4 GiB leaves no room for the key's position: such a name has no key.
        let key_start = u32::try_from(function.len().saturating_add(1)).unwrap_or(0);
        Self(Text::Shared {
            text: format!("{function}[{key}]").into(),
            key_start,
        })
    }

    /// Returns the whole name as a string slice: `function`, or `function[key]`.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::Name;
    ///
    /// let name = Name::from("payments");
    /// assert_eq!(name.as_str(), "payments");
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Static(text) => text,
            Text::Shared { text, .. } => text,
        }
    }

    /// Returns the name without its key.
    ///
    /// For an annotated function, this is its option `name` or, by default,
    /// `crate::module::function`. For any other breaker, it is the whole name.
    #[cfg_attr(
        feature = "macros",
        doc = r#"
# Examples

```
use circuit_runtime::{CircuitError, circuit_breaker, registry};

#[circuit_breaker(name = "quote", key = host)]
async fn quote(host: &str) -> Result<f64, CircuitError> {
    // ..
    # let _ = host;
    Ok(12.5)
}

# #[tokio::main(flavor = "current_thread")]
# async fn main() -> Result<(), CircuitError> {
quote("a.example").await?;

let breaker = registry::find("quote[a.example]").unwrap();
assert_eq!(breaker.name().function(), "quote");
assert_eq!(breaker.name().key(), Some("a.example"));
# Ok(())
# }
```
"#
    )]
    #[must_use]
    pub fn function(&self) -> &str {
        let end = self
            .key_start()
            .map_or(self.len(), |start| start.saturating_sub(1));
        self.get(..end).unwrap_or_default()
    }

    /// Returns the key, shortened if it has more than 256 bytes; `None` if the breaker was not
    /// created for one.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// assert_eq!(breaker.name().key(), None);
    /// ```
    #[must_use]
    #[inline]
    pub fn key(&self) -> Option<&str> {
        let start = self.key_start()?;
        self.get(start..self.len().saturating_sub(1))
    }

    /// Returns `true` if this is the key.
    #[inline]
    pub(crate) fn has_key(&self, key: &str) -> bool {
        // Bytes: a slice of the text would be checked for the boundaries of characters.
        let bytes = self.as_str().as_bytes();
        let own = |start| bytes.get(start..bytes.len().saturating_sub(1));
        self.key_start().and_then(own) == Some(key.as_bytes())
    }

    #[inline]
    fn key_start(&self) -> Option<usize> {
        match self.0 {
            Text::Shared { key_start, .. } if key_start > 0 => Some(key_start as usize),
            _ => None,
        }
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        self
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        self
    }
}

impl From<Cow<'static, str>> for Name {
    fn from(name: Cow<'static, str>) -> Self {
        Self(match name {
            Cow::Borrowed(name) => Text::Static(name),
            Cow::Owned(name) => Text::Shared {
                text: name.into(),
                key_start: 0,
            },
        })
    }
}

impl From<&'static str> for Name {
    fn from(name: &'static str) -> Self {
        Cow::Borrowed(name).into()
    }
}

impl From<String> for Name {
    fn from(name: String) -> Self {
        Cow::<'static, str>::Owned(name).into()
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

/// Serializes the whole name as a string.
#[cfg(feature = "serde")]
impl serde::Serialize for Name {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Name {}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}
