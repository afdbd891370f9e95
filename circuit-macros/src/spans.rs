//! The ends of tokens in the source.

use proc_macro2::Span;
use quote::ToTokens;
use syn::spanned::Spanned;

/// Returns the spans of the first and of the last token. An error at code that begins at the first
/// and ends at the last underlines all that is between.
pub(crate) fn ends(tokens: &impl ToTokens) -> (Span, Span) {
    let first = tokens.span();
    let last = tokens.to_token_stream().into_iter().last();
    (first, last.map_or(first, |token| token.span()))
}
