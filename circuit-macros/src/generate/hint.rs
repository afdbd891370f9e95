//! The type of a block, fixed before its code is checked.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::Type;

use crate::options::Options;
use crate::spans::ends;

/// Returns a `return` that is never reached, and fixes the type of the enclosing block.
pub(super) fn return_type_hint(output: &Type, options: &Options) -> TokenStream {
    // Input:
    //     Result<Quote, QuoteError>
    //
    // Output:
    //     if false {
    //         return never::<Result<Quote, QuoteError>>();
    //     }
    let (first, last) = ends(output);
    let span = first.resolved_at(Span::mixed_site());
    let runtime = options.runtime(span);
    let nothing = quote_spanned!(last.resolved_at(span)=> ());
    quote_spanned! {span=>
        if false {
            return #runtime::never::<#output> #nothing;
        }
    }
}
