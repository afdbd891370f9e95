//! The annotated functions of the program, called or not.

#[cfg(feature = "discovery")]
use circuit_runtime::registry;

/// Where an attribute is in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(super) file: &'static str,
    pub(super) line: u32,
}

/// An annotated function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(super) name: String,
    pub(super) source: Source,
}

/// The annotated functions of the program, in the order of their names; none without the feature
/// `discovery`.
#[derive(Debug)]
pub(super) struct Declarations {
    functions: Vec<Function>,
}

impl Declarations {
    #[cfg(feature = "discovery")]
    pub(super) fn read() -> Self {
        let functions = registry::declared().into_iter().map(|declared| Function {
            name: declared.name.to_string(),
            source: Source {
                file: declared.file,
                line: declared.line,
            },
        });
        let mut functions: Vec<_> = functions.collect();
        // Functions that share a name share an entry.
        functions.dedup_by(|second, first| second.name == first.name);
        Self { functions }
    }

    #[cfg(not(feature = "discovery"))]
    pub(super) fn read() -> Self {
        let functions = Vec::new();
        Self { functions }
    }

    /// Returns where the function of this name is in the source.
    pub(super) fn source(&self, name: &str) -> Option<Source> {
        let found = self
            .functions
            .binary_search_by(|it| it.name.as_str().cmp(name));
        let function = self.functions.get(found.ok()?)?;
        Some(function.source)
    }

    /// Returns the functions whose names are not excluded.
    pub(super) fn without(
        &self,
        is_excluded: impl Fn(&str) -> bool,
    ) -> impl Iterator<Item = Function> {
        let left = self
            .functions
            .iter()
            .filter(move |it| !is_excluded(&it.name));
        left.cloned()
    }
}
