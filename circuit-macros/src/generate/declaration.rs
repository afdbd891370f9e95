//! The declaration of a function, by which the registry lists it before its first call.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use crate::options::Options;

/// How many breakers the function has.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Single,
    Keyed,
}

/// Returns the item that declares the function called `name`, beside the static that it refers to.
/// Without the feature `discovery`, returns nothing.
pub(crate) fn declaration(
    kind: Kind,
    name: &TokenStream,
    options: &Options,
    span: Span,
) -> TokenStream {
    // Output:
    //     declare! {
    //         Declaration::single(
    //             "crate::module::quote", file!(), line!(), &__CIRCUIT_BREAKER,
    //         )
    //     }
    if cfg!(not(feature = "discovery")) {
        return TokenStream::new();
    }
    let runtime = options.runtime(span);
    let arguments = quote_spanned!(span=> #name, ::core::file!(), ::core::line!());
    let declaration = match kind {
        Kind::Single => quote_spanned!(span=> single(#arguments, &__CIRCUIT_BREAKER)),
        Kind::Keyed => quote_spanned!(span=> keyed(#arguments, &__CIRCUIT_BREAKERS)),
    };
    quote_spanned!(span=> #runtime::declare! { #runtime::Declaration::#declaration })
}
