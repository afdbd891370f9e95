//! A function body as raw tokens. It is never parsed, so that syntax errors in it are reported by
//! rustc.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use syn::braced;
use syn::parse::{Parse, ParseStream};

/// The contents of a pair of braces.
pub(crate) struct Body {
    /// From the opening to the closing brace.
    span: Span,
    tokens: TokenStream,
}

impl Parse for Body {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let content;
        Ok(Self {
            span: braced!(content in input).span.join(),
            tokens: content.parse()?,
        })
    }
}

impl Body {
    /// Returns the contents of a group, if its delimiters are braces.
    pub(crate) fn from_group(block: &Group) -> Option<Self> {
        (block.delimiter() == Delimiter::Brace).then(|| Self {
            span: block.span(),
            tokens: block.stream(),
        })
    }

    /// Splits off the `#![..]` and `//! ..` at the beginning.
    pub(crate) fn split_off_inner_attributes(&mut self) -> TokenStream {
        let tokens: Vec<_> = self.tokens.clone().into_iter().collect();
        let attributes = tokens
            .chunks(3)
            .take_while(|tokens| is_inner_attribute(tokens));
        let (attributes, rest) = tokens.split_at(3 * attributes.count());
        self.tokens = rest.iter().cloned().collect();
        attributes.iter().cloned().collect()
    }

    /// Returns the tokens between the braces.
    pub(crate) fn tokens(&self) -> TokenStream {
        self.tokens.clone()
    }

    /// Returns a body of these tokens, in place of the written one.
    pub(crate) fn replaced_by(&self, tokens: TokenStream) -> Group {
        // With the span of the written one: of a function that looks generated, rustc never says
        // that it is unused.
        block(tokens, self.span)
    }

    /// Returns the written body as a block inside of another.
    pub(crate) fn as_inner_block(&self) -> Group {
        let span = if self.is_lone_expression() {
            // With the written span, rustc would warn about unused braces.
            self.span.resolved_at(Span::mixed_site())
        } else {
            self.span
        };
        block(self.tokens.clone(), span)
    }

    /// Returns whether the body may name this variable.
    pub(crate) fn mentions(&self, identifier: &str) -> bool {
        mentions(&self.tokens, identifier)
    }

    /// Returns whether this identifier occurs anywhere in the body.
    pub(crate) fn contains(&self, identifier: &str) -> bool {
        contains(&self.tokens, identifier)
    }

    /// Returns the number of tokens before the first that may be this variable.
    pub(crate) fn position_of(&self, identifier: &str) -> Option<usize> {
        position(&self.tokens, identifier, &mut 0)
    }

    /// Returns whether this may be a single expression, because it contains no semicolon.
    fn is_lone_expression(&self) -> bool {
        let is_semicolon = |token| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ';');
        !self.tokens.is_empty() && !self.tokens.clone().into_iter().any(is_semicolon)
    }
}

fn contains(tokens: &TokenStream, identifier: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(found) => found == identifier,
        TokenTree::Group(group) => contains(&group.stream(), identifier),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Returns whether the tokens may name a variable.
pub(crate) fn mentions(tokens: &TokenStream, identifier: &str) -> bool {
    position(tokens, identifier, &mut 0).is_some()
}

/// Counts the tokens `before` the first that may be this variable, or a string that formats it.
fn position(tokens: &TokenStream, identifier: &str, before: &mut usize) -> Option<usize> {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    tokens.iter().enumerate().find_map(|(index, token)| {
        let is_found = match token {
            TokenTree::Ident(found) => found == identifier && !is_member(&tokens, index),
            TokenTree::Literal(literal) => formats(&literal.to_string(), identifier),
            TokenTree::Group(group) => return position(&group.stream(), identifier, before),
            TokenTree::Punct(_) => false,
        };
        *before += 1;
        is_found.then_some(*before - 1)
    })
}

/// Returns whether the identifier at `index` is a field, a method, a part of a path or a label:
/// `.name`, `::name`, `name::` or `'name`, but not `..name`.
pub(super) fn is_member(tokens: &[TokenTree], index: usize) -> bool {
    let is = |index: Option<usize>, mark| {
        let token = index.and_then(|index| tokens.get(index));
        matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == mark)
    };
    let (last, before_last) = (index.checked_sub(1), index.checked_sub(2));
    let (next, after_next) = (Some(index + 1), Some(index + 2));
    (is(last, '.') && !is(before_last, '.'))
        || is(last, '\'')
        || (is(last, ':') && is(before_last, ':'))
        || (is(next, ':') && is(after_next, ':'))
}

/// Returns whether a literal may be a string that formats a variable: `"{name}"`, `"{:name$}"`.
fn formats(literal: &str, name: &str) -> bool {
    let is_width = || literal.split('$').any(|before| before.ends_with(name));
    let unescaped = literal.replace("{{", "");
    unescaped.split('{').skip(1).any(|braced| {
        let after = braced.trim_start().strip_prefix(name);
        after.is_some_and(|after| after.trim_start().starts_with(['}', ':']))
    }) || (literal.contains('$') && is_width())
}

/// Returns whether these are `#`, `!` and brackets.
fn is_inner_attribute(tokens: &[TokenTree]) -> bool {
    let is = |token: &TokenTree, mark| matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark);
    match tokens {
        [pound, bang, TokenTree::Group(group)] => {
            is(pound, '#') && is(bang, '!') && group.delimiter() == Delimiter::Bracket
        }
        _ => false,
    }
}

fn block(tokens: TokenStream, span: Span) -> Group {
    let mut block = Group::new(Delimiter::Brace, tokens);
    block.set_span(span);
    block
}
