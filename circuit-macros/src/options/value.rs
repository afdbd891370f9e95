//! The values of options, and the settings that the rules are checked on.

use std::time::Duration;

use circuit_options::kinds::ValueKind;
use circuit_options::names::OptionName;
use circuit_options::settings::{Setting, Settings};
use circuit_options::values;
use circuit_options::written::Written;
use syn::{Lit, LitStr};

/// A validated value.
pub(crate) enum Value {
    /// An integer literal.
    Count(u32),
    /// A duration literal, such as `"1m30s"`.
    Duration(Duration),
    /// A number, such as `0.1`, or a percentage, such as `"10%"`.
    Share(f64),
    /// A string literal.
    Text(LitStr),
    /// Any expression that is not a literal, for the compiler to evaluate.
    Constant,
    /// Code that becomes part of the function.
    Code,
}

impl Value {
    /// Reads a number, a duration or a share; nothing if the option takes none such, or if the
    /// literal has the suffix of another type, which may be a unit of time.
    pub(super) fn from_literal(name: OptionName, literal: &Lit) -> Option<Result<Self, String>> {
        let kind = ValueKind::for_option(name)?;
        let text;
        let written = match literal {
            Lit::Int(literal) => {
                let digits = literal.base10_digits();
                match kind {
                    ValueKind::Count if !has_suffix(literal.suffix(), "u32") => {
                        return Some(Err(format!("`{name}` is a `u32`; write `{digits}`")));
                    }
                    ValueKind::Window if !has_suffix(literal.suffix(), "u32") => return None,
                    ValueKind::Share | ValueKind::Rate if !has_suffix(literal.suffix(), "f64") => {
                        return None;
                    }
                    _ => Written::Integer(digits.parse().unwrap_or(u128::MAX)),
                }
            }
            Lit::Float(literal) if has_suffix(literal.suffix(), "f64") => {
                Written::Float(literal.base10_parse().ok()?)
            }
            Lit::Str(literal) => {
                text = literal.value();
                Written::Text(&text)
            }
            _ => return None,
        };
        let value = written.read(name)?;
        Some(value.map(Self::from))
    }

    /// Reads a string that is not blank.
    pub(super) fn from_text(name: OptionName, literal: &LitStr) -> Result<Self, String> {
        if literal.value().trim().is_empty() {
            return Err(format!(
                "`{name}` must not be empty; without it, the path of the function is used"
            ));
        }
        Ok(Self::Text(literal.clone()))
    }

    /// Returns the value as the rules see it.
    fn known(&self) -> Option<values::Value> {
        match self {
            Self::Count(count) => Some(values::Value::Count(*count)),
            Self::Duration(duration) => Some(values::Value::Duration(*duration)),
            Self::Share(share) => Some(values::Value::Share(*share)),
            Self::Text(_) | Self::Constant | Self::Code => None,
        }
    }
}

impl From<values::Value> for Value {
    fn from(value: values::Value) -> Self {
        match value {
            values::Value::Count(count) => Self::Count(count),
            values::Value::Duration(duration) => Self::Duration(duration),
            values::Value::Share(share) => Self::Share(share),
        }
    }
}

/// Sets an option to its value, which is unknown if it is a constant or missing.
pub(super) fn set(settings: &mut Settings, name: OptionName, value: Option<&Value>) {
    let known = value.and_then(Value::known);
    settings.set(name, known.map_or(Setting::Unknown, Setting::Known));
}

/// Returns whether a number has no suffix, or that of its own type.
fn has_suffix(suffix: &str, own: &str) -> bool {
    suffix.is_empty() || suffix == own
}
