//! The values of options: literals, which are checked here, and constant expressions, which the
//! compiler checks.

use std::fmt;
use std::time::Duration;

use proc_macro2::Span;
use syn::{Expr, ExprLit, Lit, LitInt, LitStr, UnOp};

use crate::duration;

/// What an option takes, and why a number may not be zero.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// An integer of at least 1.
    Count { zero: &'static str },
    /// A length of time.
    Span { zero: &'static str },
    /// A share of a whole, from 0 to 1.
    Share { meaning: &'static str },
    /// A string that is not empty.
    Text,
}

/// A value that is fit for its option.
pub(crate) enum Value {
    /// From an integer literal.
    Count(u32),
    /// From a duration literal, such as `"1m30s"`.
    Span(Duration),
    /// From a number, such as `0.1`, or a percentage, such as `"10%"`.
    Share(f64),
    /// A string literal.
    Text(LitStr),
    /// Any expression that is not a literal.
    Constant(Expr),
}

impl Kind {
    /// Checks what is `written` for the option `name`, of which `example` is a right use. In place
    /// of a value that is missing there is where to write one.
    pub(crate) fn check(
        self,
        name: &str,
        example: &str,
        written: Result<Expr, Span>,
    ) -> syn::Result<Value> {
        let wrong_type = format!("`{name}` takes {self}; write `{example}`");
        let written = match written {
            Ok(written) => bare(written),
            Err(place) => return Err(syn::Error::new(place, wrong_type)),
        };

        let checked = match (self, literal(&written)) {
            (Self::Count { zero }, Some(Lit::Int(literal))) => count(name, zero, literal),
            (Self::Span { zero }, Some(Lit::Str(literal))) => span(name, zero, literal),
            (Self::Share { meaning }, Some(Lit::Float(literal))) => {
                share(name, meaning, literal.base10_parse().ok())
            }
            (Self::Share { meaning }, Some(Lit::Int(literal))) => {
                share(name, meaning, literal.base10_parse().ok())
            }
            (Self::Share { meaning }, Some(Lit::Str(literal))) => {
                match percentage(&literal.value()) {
                    Some(percentage) => share(name, meaning, Some(percentage)),
                    None => Err(wrong_type),
                }
            }
            (Self::Text, Some(Lit::Str(literal))) => text(name, literal),
            (Self::Count { .. } | Self::Span { .. } | Self::Share { .. }, _)
                if !is_literal(&written) =>
            {
                return Ok(Value::Constant(written));
            }
            _ => Err(wrong_type),
        };
        checked.map_err(|message| syn::Error::new_spanned(&written, message))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Count { .. } => "an integer of at least 1",
            Self::Span { .. } => "a span of time",
            Self::Share { .. } => "a share from 0.0 to 1.0 or a percentage such as \"10%\"",
            Self::Text => "a string literal",
        })
    }
}

fn count(name: &str, zero: &str, literal: &LitInt) -> Result<Value, String> {
    let digits = literal.base10_digits();
    if !matches!(literal.suffix(), "" | "u32") {
        return Err(format!("`{name}` is a `u32`; write `{digits}`"));
    }
    match digits.parse() {
        Ok(0) => Err(format!("`{name}` must be at least 1; {zero}")),
        Ok(count) => Ok(Value::Count(count)),
        Err(_) => Err(format!("`{name}` is a `u32`; write at most {}", u32::MAX)),
    }
}

fn span(name: &str, zero: &str, literal: &LitStr) -> Result<Value, String> {
    match duration::parse(&literal.value())? {
        Duration::ZERO => Err(format!("`{name}` must be longer than zero; {zero}")),
        span => Ok(Value::Span(span)),
    }
}

fn share(name: &str, meaning: &str, share: Option<f64>) -> Result<Value, String> {
    match share {
        Some(share) if (0.0..=1.0).contains(&share) => Ok(Value::Share(share)),
        _ => Err(format!("`{name}` must be from 0.0 to 1.0; {meaning}")),
    }
}

/// The share that `"10%"` stands for.
fn percentage(text: &str) -> Option<f64> {
    let percent: f64 = text.strip_suffix('%')?.parse().ok()?;
    Some(percent / 100.0)
}

fn text(name: &str, literal: &LitStr) -> Result<Value, String> {
    if literal.value().trim().is_empty() {
        return Err(format!(
            "`{name}` must not be empty; without it, the path of the function is used"
        ));
    }
    Ok(Value::Text(literal.clone()))
}

/// The expression without what only groups it: parentheses, or a fragment of `macro_rules!`.
fn bare(expression: Expr) -> Expr {
    match expression {
        Expr::Group(group) => bare(*group.expr),
        Expr::Paren(paren) => bare(*paren.expr),
        bare => bare,
    }
}

/// The literal that this is, unless it means nothing: a string with a suffix.
fn literal(expression: &Expr) -> Option<&Lit> {
    match expression {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) if !text.suffix().is_empty() => None,
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        _ => None,
    }
}

/// Whether this is a literal, perhaps with a sign.
fn is_literal(expression: &Expr) -> bool {
    match expression {
        Expr::Lit(_) => true,
        Expr::Unary(unary) => matches!(unary.op, UnOp::Neg(_)) && is_literal(&unary.expr),
        _ => false,
    }
}
