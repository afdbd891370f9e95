//! The syntax of the attribute's list: `key = value` pairs.

use proc_macro2::{Span, TokenTree};
use quote::format_ident;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream};
use syn::token::Brace;
use syn::{Block, Expr, Ident, Lit, Token, braced};

/// `key = value`, of which the value may be missing or unreadable.
pub(super) struct Pair {
    pub(super) key: Ident,
    /// The key is written with dashes, as `max-failures`.
    pub(super) dashed: bool,
    pub(super) value: Result<Expr, Missing>,
}

/// The reason why there is no value.
pub(super) enum Missing {
    /// It is expected here.
    At(Span),
    /// It follows a colon.
    Equals(Span, Lit),
    /// It contains a block with a syntax error.
    BreaksOff(syn::Error),
}

impl Parse for Pair {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if !input.peek(Ident::peek_any) {
            return Err(input.error("expected an option, such as `max_failures = 5`"));
        }
        let mut key = Ident::parse_any(input)?;
        let dashed = begins_dashed(input);
        while begins_dashed(input) {
            let _: Token![-] = input.parse()?;
            let next = Ident::parse_any(input)?;
            key = format_ident!("{}_{}", key.unraw(), next.unraw(), span = key.span());
        }
        let value = parse_value(key.span(), input);
        Ok(Self { key, dashed, value })
    }
}

/// Parses `= value`, which follows the key.
fn parse_value(key: Span, input: ParseStream<'_>) -> Result<Expr, Missing> {
    let equals: Token![=] = input.parse().map_err(|_| missing_equals(key, input))?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(Missing::At(equals.span));
    }

    // On a fork: tokens that a failed attempt leaves behind would be reported as a second error.
    let ahead = input.fork();
    let value = ahead.parse().map_err(|_| match parse_block(input) {
        Ok(()) => Missing::At(input.span()),
        Err(error) => Missing::BreaksOff(error),
    })?;
    input.advance_to(&ahead);
    match value {
        Expr::Assign(assignment) => Err(Missing::At(assignment.eq_token.span)),
        value => Ok(bare(value)),
    }
}

/// Returns what is missing after a key without `=`.
fn missing_equals(key: Span, input: ParseStream<'_>) -> Missing {
    let ahead = input.fork();
    let colon: syn::Result<Token![:]> = ahead.parse();
    match (colon, ahead.parse()) {
        (Ok(_), Ok(literal)) => Missing::Equals(key, literal),
        _ => Missing::At(key),
    }
}

/// Parses a block, or that of a closure, ahead of the input: its syntax error may be many lines
/// down.
fn parse_block(input: ParseStream<'_>) -> syn::Result<()> {
    let ahead = input.fork();
    if ahead.parse::<Token![|]>().is_ok() {
        while ahead.parse::<Token![|]>().is_err() {
            if ahead.parse::<TokenTree>().is_err() {
                return Ok(());
            }
        }
    }
    if ahead.peek(Brace) {
        let content;
        braced!(content in ahead);
        content.call(Block::parse_within)?;
    }
    Ok(())
}

/// Returns whether `-failures`, of `max-failures`, comes next.
fn begins_dashed(input: ParseStream<'_>) -> bool {
    input.peek(Token![-]) && input.peek2(Ident::peek_any)
}

/// Returns whether `key =` comes next.
pub(super) fn begins_pair(input: ParseStream<'_>) -> bool {
    input.peek(Ident::peek_any) && input.peek2(Token![=])
}

/// Returns the expression without what only groups it: parentheses, or a fragment of
/// `macro_rules!`.
fn bare(expression: Expr) -> Expr {
    match expression {
        Expr::Group(group) => bare(*group.expr),
        Expr::Paren(paren) => bare(*paren.expr),
        bare => bare,
    }
}
