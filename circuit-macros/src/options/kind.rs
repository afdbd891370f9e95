//! The kinds of values that options take.

use std::fmt;

use circuit_options::kinds::ValueKind;
use circuit_options::names::OptionName;
use syn::{Expr, ExprLit, Lit, UnOp};

use super::value::Value;

/// The kind of value that an option takes.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// A number, a duration or a share.
    Value(ValueKind),
    /// A string that is not empty.
    Text,
    /// A closure or a path over the error, `fn(&E) -> ..`.
    Predicate,
    /// A closure or a path over the whole result, `fn(&Result<T, E>) -> Verdict`.
    Classifier,
    /// The function's result when its body does not run: an expression, or a closure over the
    /// error.
    Fallback,
    /// A closure over the function's error.
    OrElse,
    /// A closure or a path, `fn(CircuitError) -> E`.
    Conversion,
    /// An expression over the arguments.
    Key,
    /// An expression that is a breaker, or those of many keys, or a reference to one.
    Breaker,
    /// A path without arguments.
    Path,
}

impl Kind {
    /// Reads the expression that is written for an option. Returns the value or an error message;
    /// nothing if the expression is of another type.
    pub(crate) fn read(self, name: OptionName, written: &Expr) -> Option<Result<Value, String>> {
        match self {
            Self::Predicate => return function(name, "error", written),
            Self::Classifier => return function(name, "result", written),
            Self::Fallback => return fallback(name, written),
            Self::OrElse => return or_else(name, written),
            Self::Conversion => return function(name, "circuit_error", written),
            Self::Key => return is_computed(written).then_some(Ok(Value::Code)),
            Self::Breaker => return breaker(name, written),
            Self::Path => return is_plain_path(written).then_some(Ok(Value::Code)),
            Self::Text if !is_literal(written) => return None,
            Self::Value(_) if !is_literal(written) => return Some(Ok(Value::Constant)),
            Self::Text | Self::Value(_) => {}
        }
        match (self, literal(written)?) {
            (Self::Value(_), literal) => Value::from_literal(name, literal),
            (_, Lit::Str(literal)) => Some(Value::from_text(name, literal)),
            _ => None,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Value(kind) => return kind.fmt(formatter),
            Self::Text => "a string literal",
            Self::Predicate => "a closure or a path",
            Self::Classifier => "a closure or a path over the result that returns a `Verdict`",
            Self::Fallback => {
                "a result in place of the body's, or a closure that makes one of the error"
            }
            Self::OrElse => "a closure over the function's error",
            Self::Conversion => "a closure or a path that makes the function's error",
            Self::Key => "an expression over the arguments",
            Self::Breaker => {
                "a `CircuitBreaker`, or beside `key` a `CircuitBreakers`, or a reference to one"
            }
            Self::Path => "a path",
        })
    }
}

/// Reads a closure over one parameter, or a path.
fn function(name: OptionName, parameter: &str, written: &Expr) -> Option<Result<Value, String>> {
    match written {
        Expr::Closure(closure) if is_function(written) && closure.inputs.len() != 1 => Some(Err(
            format!("`{name}` takes a closure of one argument; write `{name} = |{parameter}| ..`"),
        )),
        _ => is_function(written).then_some(Ok(Value::Code)),
    }
}

fn fallback(name: OptionName, written: &Expr) -> Option<Result<Value, String>> {
    match written {
        Expr::Closure(closure) if closure.inputs.len() != 1 => Some(Err(format!(
            "a `{name}` that is a closure takes the error; write `{name} = |error| ..`, or leave the \
             closure out"
        ))),
        _ if is_future(written) => Some(Err(future(name))),
        _ => (!is_literal(written)).then_some(Ok(Value::Code)),
    }
}

fn or_else(name: OptionName, written: &Expr) -> Option<Result<Value, String>> {
    match written {
        Expr::Closure(closure) if closure.inputs.len() != 1 => Some(Err(format!(
            "`{name}` takes a closure of one argument; write `{name} = |error| ..`"
        ))),
        _ if is_future(written) => Some(Err(future(name))),
        _ => matches!(written, Expr::Closure(_)).then_some(Ok(Value::Code)),
    }
}

/// Returns the message for a future in place of its output.
fn future(name: OptionName) -> String {
    format!("`{name}` is part of the function, and no future; write what is in the `async` block")
}

fn breaker(name: OptionName, written: &Expr) -> Option<Result<Value, String>> {
    if is_new_breaker(written) {
        return Some(Err(format!(
            "`{name}` must outlive the call, as a new one for each call never opens; make it once, \
             in a field or a static"
        )));
    }
    is_computed(written).then_some(Ok(Value::Code))
}

/// Returns the literal that this is. A string with a suffix is none: it means nothing.
pub(super) fn literal(expression: &Expr) -> Option<&Lit> {
    match expression {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) if !text.suffix().is_empty() => None,
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        _ => None,
    }
}

/// Returns whether this is a literal, perhaps with a sign.
fn is_literal(expression: &Expr) -> bool {
    match expression {
        Expr::Lit(_) => true,
        Expr::Unary(unary) => matches!(unary.op, UnOp::Neg(_)) && is_literal(&unary.expr),
        _ => false,
    }
}

/// Returns whether this is syntactically a function: a closure or a path.
fn is_function(expression: &Expr) -> bool {
    match expression {
        Expr::Closure(closure) => closure.asyncness.is_none(),
        Expr::Path(_) => true,
        _ => false,
    }
}

/// Returns whether this can be a value that differs from call to call.
fn is_computed(expression: &Expr) -> bool {
    !is_literal(expression) && !matches!(expression, Expr::Closure(_))
}

/// Returns whether this is an `async` block, or a closure that is nothing else.
fn is_future(expression: &Expr) -> bool {
    match expression {
        Expr::Async(_) => true,
        Expr::Closure(closure) => matches!(*closure.body, Expr::Async(_)),
        _ => false,
    }
}

/// Returns whether this is `CircuitBreaker::new(..)`, or `CircuitBreakers::new(..)`, perhaps with a
/// bound.
fn is_new_breaker(expression: &Expr) -> bool {
    match expression {
        Expr::Call(call) => is_constructor(&call.func),
        Expr::MethodCall(call) => call.method == "max_keys" && is_new_breaker(&call.receiver),
        _ => false,
    }
}

fn is_constructor(function: &Expr) -> bool {
    let Expr::Path(function) = function else {
        return false;
    };
    let mut names = function.path.segments.iter().rev();
    let mut is_next = |is: &[&str]| {
        let segment = names.next();
        segment.is_some_and(|segment| is.iter().any(|name| segment.ident == name))
    };
    is_next(&["new"]) && is_next(&["CircuitBreaker", "CircuitBreakers"])
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
