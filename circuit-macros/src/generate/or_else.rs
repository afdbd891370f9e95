//! The code that runs in place of every `Err` of a call.

use circuit_options::names::OptionName;
use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{Expr, ExprClosure, ReturnType, Type};

use super::conversion::Conversion;
use super::fallback::{error_pattern, value};
use super::hint::return_type_hint;
use crate::options::Options;

/// Returns the statements that follow a call, whose result is `__circuit_result`.
pub(super) fn or_else(
    options: &Options,
    conversion: Conversion<'_>,
    check: &TokenStream,
    output: &Type,
    span: Span,
) -> Option<TokenStream> {
    // Input:
    //     or_else = |error| stored(symbol).await.ok_or(error)
    //
    // Output:
    //     let error = match ended::<Result<Quote, QuoteError>>()(__circuit_result).ok_or_error() {
    //         Ok(__circuit_result) => return __circuit_result,
    //         Err(__circuit_error) => __circuit_error,
    //     };
    //     { stored(symbol).await.ok_or(error) }
    //
    // - The closure is not called, only its body is used: an `.await`, a `?` and a `return` in it
    //   are those of the function.
    // - The `let` ends the `match` before anything is awaited: around that, the result would be
    //   stored.
    // - The type of what is returned there fixes that of the block around a boxed function.
    let Expr::Closure(ExprClosure {
        inputs,
        output: written,
        body,
        ..
    }) = options.code(OptionName::OrElse)?
    else {
        return None;
    };
    let runtime = options.runtime(span);
    let ended = match conversion {
        Conversion::From => quote_spanned!(span=> ended),
        Conversion::Made(_) | Conversion::Unneeded => quote_spanned!(span=> any_ended),
    };
    let typed_hint = match written {
        ReturnType::Default => None,
        ReturnType::Type(_, written) => Some(return_type_hint(written, options)),
    };
    let (pattern, binding) = error_pattern(inputs.first(), false, span);
    let value = value(body, span);
    Some(quote_spanned! {span=>
        let #pattern = match #runtime::#ended::<#output>()(__circuit_result).ok_or_error() {
            ::core::result::Result::Ok(__circuit_result) => return __circuit_result,
            ::core::result::Result::Err(__circuit_error) => __circuit_error,
        };
        #check
        #binding
        #typed_hint
        #value
    })
}
