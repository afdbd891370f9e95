//! The code that runs in place of the body of a rejected call.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprClosure, Ident, Pat, ReturnType, Type};

use super::hint::return_type_hint;
use crate::function::body::{Body, mentions};
use crate::function::captures::Captures;
use crate::options::Options;

/// The code that a rejected call evaluates in place of the body.
pub(super) struct Fallback {
    /// Binds the error.
    pub(super) pattern: TokenStream,
    pub(super) before: TokenStream,
    pub(super) value: TokenStream,
}

impl Fallback {
    /// Evaluates the expression of the option, or the body of its closure.
    pub(super) fn new(
        expression: &Expr,
        output_type: &Type,
        captures: &Captures,
        options: &Options,
        span: Span,
    ) -> Self {
        let Expr::Closure(ExprClosure {
            inputs,
            output,
            body,
            ..
        }) = expression
        else {
            return Self {
                pattern: quote_spanned!(span=> _),
                before: TokenStream::new(),
                value: match expression {
                    Expr::Path(_) => named(expression, output_type, options, span),
                    _ => value(expression, span),
                },
            };
        };
        // A return type of the closure must be that of the function.
        let typed_hint = match output {
            ReturnType::Default => None,
            ReturnType::Type(_, output) => Some(return_type_hint(output, options)),
        };
        let hides_argument = |pattern: &Pat| match pattern {
            Pat::Ident(error) => mentions(&captures.fallback, &error.ident.to_string()),
            _ => true,
        };
        let is_before_arguments =
            !captures.fallback_bindings.is_empty() || inputs.first().is_some_and(hides_argument);
        let (pattern, binding) = error_pattern(inputs.first(), is_before_arguments, span);
        Self {
            pattern,
            before: quote_spanned!(span=> #binding #typed_hint),
            value: value(body, span),
        }
    }

    /// Returns the error of a rejected call. The block drops the arguments as a function does that
    /// returns at once.
    pub(super) fn rejected(rejected: &TokenStream, span: Span) -> Self {
        Self {
            pattern: quote_spanned!(span=> __circuit_error),
            before: TokenStream::new(),
            value: rejected.clone(),
        }
    }
}

/// Returns the pattern that binds the error and, if its type is written or if the block of the
/// fallback captures arguments after it, a `let` that binds it again.
pub(super) fn error_pattern(
    error: Option<&Pat>,
    is_before_arguments: bool,
    span: Span,
) -> (TokenStream, Option<TokenStream>) {
    // Input:
    //     |error: CircuitError| ..
    //
    // Output:
    //     __circuit_error, and let error: CircuitError = __circuit_error;
    match error {
        Some(pattern) if is_before_arguments || matches!(pattern, Pat::Type(_)) => {
            let error = Ident::new("__circuit_error", pattern.span().resolved_at(span));
            let binding = quote_spanned!(span=> let #pattern = #error;);
            (error.into_token_stream(), Some(binding))
        }
        other => (other.to_token_stream(), None),
    }
}

/// Returns the value of a path, which may be that of a function by mistake.
fn named(expression: &Expr, output: &Type, options: &Options, span: Span) -> TokenStream {
    // Input:
    //     NOTHING
    //
    // Output:
    //     { instead::<Result<Quote, QuoteError>, _>(NOTHING) }
    let value_span = expression.span();
    let runtime = options.runtime(span);
    let call = quote_spanned!(value_span=> instead);
    quote_spanned!(span=> { #runtime::#call::<#output, _>(#expression) })
}

/// Returns the value of an expression that becomes part of the function.
pub(super) fn value(expression: &Expr, span: Span) -> TokenStream {
    // Input:
    //     Ok(cached)
    //
    // Output:
    //     { Ok(cached) }
    let tokens = expression.to_token_stream();
    let value = match (expression, tokens.clone().into_iter().next()) {
        // With their written span, rustc would warn about braces that are needed there, but not
        // here.
        (Expr::Block(_), Some(TokenTree::Group(block))) => Body::from_group(&block)
            .map_or(tokens, |body| body.as_inner_block().into_token_stream()),
        _ => tokens,
    };
    quote_spanned!(span=> { #value })
}
