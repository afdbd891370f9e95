//! The conversion of a `CircuitError` into the function's result.

use circuit_options::names::OptionName;
use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::spanned::Spanned;
use syn::{Expr, Ident, Type};

use crate::options::Options;

/// The way in which a `CircuitError` becomes the error of the function.
#[derive(Clone, Copy)]
pub(super) enum Conversion<'o> {
    /// By `From<CircuitError>`.
    From,
    /// By the option `error`.
    Made(&'o Expr),
    /// Not at all: a fallback takes the only one there is.
    Unneeded,
}

impl<'o> Conversion<'o> {
    /// Returns the conversion of a function that may be `timed`.
    pub(super) fn new(options: &'o Options, timed: bool) -> Self {
        if options.get(OptionName::Fallback).is_some() && !timed {
            return Self::Unneeded;
        }
        options
            .code(OptionName::Error)
            .map_or(Self::From, Self::Made)
    }

    /// Returns the result made of `__circuit_error`.
    pub(super) fn result(
        self,
        check: &TokenStream,
        output: &Type,
        runtime: &TokenStream,
        span: Span,
    ) -> TokenStream {
        // Output, with `From`:
        //     rejected::<Result<Quote, QuoteError>>(__circuit_error)
        //
        // Output, with `error = |error| Status::from_error(error)`:
        //     rejection::<Result<Quote, Status>>()(__circuit_error)
        //         .error(|error| Status::from_error(error))
        let Self::Made(make) = self else {
            return quote_spanned!(span=> #runtime::rejected::<#output>(__circuit_error));
        };
        // One span for both, as a function of a wrong type is reported at both.
        let method = Ident::new(OptionName::Error.as_str(), make.span());
        let result = quote_spanned! {span=>
            #runtime::rejection::<#output>()(__circuit_error).#method(#make)
        };
        if check.is_empty() {
            return result;
        }
        quote_spanned!(span=> { #check #result })
    }

    /// Returns the closure that makes a result of an error.
    pub(super) fn closure(self, result: &TokenStream, span: Span) -> TokenStream {
        // Spanned at the option, as this closure captures the arguments that the option names.
        let closure_span = match self {
            Self::Made(make) => make.span().resolved_at(span),
            Self::From | Self::Unneeded => span,
        };
        let head = quote_spanned!(closure_span=> |__circuit_error|);
        quote_spanned!(span=> #head #result)
    }
}
