//! The values of options: literals, which are checked here, and constant expressions and predicates,
//! which the compiler checks.

use std::fmt;
use std::time::Duration;

use proc_macro2::Span;
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Lit, LitInt, LitStr, UnOp};

use crate::duration;

/// What an option takes, and why it may not be nothing.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// An integer of at least 1.
    Count { zero: &'static str },
    /// A length of time.
    Span { zero: &'static str },
    /// A length of time, or a number of calls.
    Window { empty: &'static str },
    /// A share of a whole, from 0 to 1.
    Share { meaning: &'static str },
    /// A share of calls, above 0 and up to 1.
    Rate { meaning: &'static str },
    /// A string that is not empty.
    Text,
    /// A closure or a path, `fn(&E) -> bool`.
    Predicate,
    /// What the function results in when its body does not run: an expression, or a closure that is
    /// shown the error.
    Fallback,
    /// An expression over the arguments.
    Key,
    /// An expression that is a breaker or a reference to one.
    Breaker,
    /// A path without arguments.
    Path,
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
    /// Any expression that is not a literal, for the compiler to evaluate.
    Constant,
    /// What is part of the function, as it is written.
    Code,
}

/// The most calls that a window can hold, as the runtime has it.
const MOST_CALLS: u32 = 65_536;

impl Kind {
    /// Reads what is `written` for the option `name`: a value or what is wrong with it; nothing when
    /// it is of another type.
    pub(crate) fn read(self, name: &str, written: &Expr) -> Option<Result<Value, String>> {
        match self {
            Self::Predicate => return is_function(written).then_some(Ok(Value::Code)),
            Self::Fallback => return fallback(name, written),
            Self::Key => return is_computed(written).then_some(Ok(Value::Code)),
            Self::Breaker => return breaker(name, written),
            Self::Path => return is_plain_path(written).then_some(Ok(Value::Code)),
            Self::Text if !is_literal(written) => return None,
            _ if !is_literal(written) => return Some(Ok(Value::Constant)),
            _ => {}
        }
        Some(match (self, literal(written)?) {
            (Self::Count { zero }, Lit::Int(literal)) => count(name, zero, literal),
            (Self::Span { zero } | Self::Window { empty: zero }, Lit::Str(literal)) => {
                span(name, zero, literal)
            }
            (Self::Window { empty }, Lit::Int(literal)) => calls(name, empty, literal)?,
            (Self::Share { meaning }, literal) => {
                share(name, &advice(name, meaning, literal), number(literal)?)
            }
            (Self::Rate { meaning }, literal) => {
                rate(name, &advice(name, meaning, literal), number(literal)?)
            }
            (Self::Text, Lit::Str(literal)) => text(name, literal),
            _ => return None,
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Count { .. } => "an integer of at least 1",
            Self::Span { .. } => "a span of time",
            Self::Window { .. } => "a span of time or a number of calls",
            Self::Share { .. } => "a share from 0.0 to 1.0 or a percentage such as \"10%\"",
            Self::Rate { .. } => "a share above 0.0, up to 1.0, or a percentage such as \"50%\"",
            Self::Text => "a string literal",
            Self::Predicate => "a closure or a path",
            Self::Fallback => {
                "a result in place of the body's, or a closure that makes one of the error"
            }
            Self::Key => "an expression over the arguments",
            Self::Breaker => "a `CircuitBreaker` or a reference to one",
            Self::Path => "a path",
        })
    }
}

fn count(name: &str, zero: &str, literal: &LitInt) -> Result<Value, String> {
    let digits = literal.base10_digits();
    if !is_plain(literal.suffix(), "u32") {
        return Err(format!("`{name}` is a `u32`; write `{digits}`"));
    }
    match digits.parse() {
        Ok(0) => Err(format!("`{name}` must be at least 1; {zero}")),
        Ok(count) => Ok(Value::Count(count)),
        Err(_) => Err(format!("`{name}` is a `u32`; write at most {}", u32::MAX)),
    }
}

fn calls(name: &str, empty: &str, literal: &LitInt) -> Option<Result<Value, String>> {
    // Another suffix may be a unit of time.
    is_plain(literal.suffix(), "u32").then(|| match literal.base10_parse() {
        Ok(0) => Err(format!("`{name}` must be at least 1 call; {empty}")),
        Ok(calls @ ..=MOST_CALLS) => Ok(Value::Count(calls)),
        _ => Err(format!(
            "`{name}` must be at most {MOST_CALLS} calls; write a span of time, such as \"10s\""
        )),
    })
}

fn span(name: &str, zero: &str, literal: &LitStr) -> Result<Value, String> {
    match duration::parse(&literal.value())? {
        Duration::ZERO => Err(format!("`{name}` must be longer than zero; {zero}")),
        span => Ok(Value::Span(span)),
    }
}

fn share(name: &str, advice: &str, share: f64) -> Result<Value, String> {
    if (0.0..=1.0).contains(&share) {
        return Ok(Value::Share(share));
    }
    Err(format!("`{name}` must be from 0.0 to 1.0; {advice}"))
}

fn rate(name: &str, advice: &str, rate: f64) -> Result<Value, String> {
    if rate > 0.0 && rate <= 1.0 {
        return Ok(Value::Share(rate));
    }
    Err(format!(
        "`{name}` must be above 0.0 and at most 1.0; {advice}"
    ))
}

/// What to write for a share that is out of range: a number may have been meant as a percentage.
fn advice(name: &str, meaning: &str, literal: &Lit) -> String {
    match (literal, number(literal)) {
        (Lit::Int(_) | Lit::Float(_), Some(number)) if (2.0..=100.0).contains(&number) => {
            format!("for {number} percent write `{name} = \"{number}%\"`")
        }
        _ => meaning.to_owned(),
    }
}

/// The share that a literal stands for: `0.1`, `1` or `"10%"`.
fn number(literal: &Lit) -> Option<f64> {
    match literal {
        Lit::Float(literal) if is_plain(literal.suffix(), "f64") => literal.base10_parse().ok(),
        Lit::Int(literal) if is_plain(literal.suffix(), "f64") => literal.base10_parse().ok(),
        Lit::Str(literal) => percentage(&literal.value()),
        _ => None,
    }
}

/// The share that `"10%"` stands for: the number nearest to it, as if `0.1` was written.
fn percentage(text: &str) -> Option<f64> {
    let percent = text.strip_suffix('%')?;
    format!("{percent}e-2").parse().ok()
}

fn text(name: &str, literal: &LitStr) -> Result<Value, String> {
    if literal.value().trim().is_empty() {
        return Err(format!(
            "`{name}` must not be empty; without it, the path of the function is used"
        ));
    }
    Ok(Value::Text(literal.clone()))
}

fn fallback(name: &str, written: &Expr) -> Option<Result<Value, String>> {
    match written {
        Expr::Closure(closure) if closure.inputs.len() != 1 => Some(Err(format!(
            "a `{name}` that is a closure takes the error; write `{name} = |error| ..`, or leave the \
             closure out"
        ))),
        _ if is_future(written) => Some(Err(format!(
            "a `{name}` is part of the function, and no future; write what is in the `async` block"
        ))),
        _ => (!is_literal(written)).then_some(Ok(Value::Code)),
    }
}

/// Whether this is an `async` block, or a closure that is nothing else.
fn is_future(expression: &Expr) -> bool {
    match expression {
        Expr::Async(_) => true,
        Expr::Closure(closure) => matches!(*closure.body, Expr::Async(_)),
        _ => false,
    }
}

fn breaker(name: &str, written: &Expr) -> Option<Result<Value, String>> {
    if is_new_breaker(written) {
        return Some(Err(format!(
            "`{name}` must outlive the call, as a new one for each call never opens; make it once, \
             in a field or a static"
        )));
    }
    is_computed(written).then_some(Ok(Value::Code))
}

/// Whether this is `CircuitBreaker::new(..)`.
fn is_new_breaker(expression: &Expr) -> bool {
    let Expr::Call(call) = expression else {
        return false;
    };
    let Expr::Path(function) = &*call.func else {
        return false;
    };
    let mut names = function.path.segments.iter().rev();
    let mut is_next = |name| names.next().is_some_and(|segment| segment.ident == name);
    is_next("new") && is_next("CircuitBreaker")
}

/// Whether a number has no suffix but perhaps that of its own type.
fn is_plain(suffix: &str, own: &str) -> bool {
    suffix.is_empty() || suffix == own
}

/// The places of the first and of the last token: what begins and ends there is underlined as a whole.
pub(crate) fn ends_of(written: &impl ToTokens) -> (Span, Span) {
    let first = written.span();
    let last = written.to_token_stream().into_iter().last();
    (first, last.map_or(first, |token| token.span()))
}

/// The expression without what only groups it: parentheses, or a fragment of `macro_rules!`.
pub(crate) fn bare(expression: Expr) -> Expr {
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

/// Whether this can be a function, by its looks.
fn is_function(expression: &Expr) -> bool {
    match expression {
        Expr::Closure(closure) => closure.asyncness.is_none(),
        Expr::Path(_) => true,
        _ => false,
    }
}

/// Whether this can be a value that differs from call to call.
fn is_computed(expression: &Expr) -> bool {
    !is_literal(expression) && !matches!(expression, Expr::Closure(_))
}

fn is_plain_path(expression: &Expr) -> bool {
    match expression {
        Expr::Path(path) => {
            let mut segments = path.path.segments.iter();
            path.qself.is_none() && segments.all(|segment| segment.arguments.is_none())
        }
        _ => false,
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

#[cfg(test)]
mod tests {
    use super::percentage;

    #[test]
    fn a_percentage_is_the_number_that_it_stands_for() {
        for tenths in 0..=1_000_u32 {
            let (percent, tenth) = (tenths / 10, tenths % 10);
            let written = percentage(&format!("{percent}.{tenth}%"));
            assert_eq!(written, Some(f64::from(tenths) / 1_000.0), "{tenths}");
        }
        for text in ["10", "%", "inf%", "nan%", "1e1%", "ten%"] {
            assert_eq!(percentage(text), None, "{text}");
        }
    }
}
