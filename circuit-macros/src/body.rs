//! A body, which is never parsed: one that is half typed is for the compiler to explain.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use syn::braced;
use syn::parse::{Parse, ParseStream};

/// What stands between two braces.
pub(crate) struct Body {
    /// Of both braces and all that is between.
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
    /// What is between the braces of a group.
    pub(crate) fn of(block: &Group) -> Option<Self> {
        (block.delimiter() == Delimiter::Brace).then(|| Self {
            span: block.span(),
            tokens: block.stream(),
        })
    }

    /// What is between the braces.
    pub(crate) fn tokens(&self) -> TokenStream {
        self.tokens.clone()
    }

    /// A body of these tokens, in place of the written one.
    pub(crate) fn replaced_by(&self, tokens: TokenStream) -> Group {
        // Where it is written, or the function would look generated and never be called unused.
        block(tokens, self.span)
    }

    /// The written body as a block inside of another.
    pub(crate) fn inner(&self) -> Group {
        let span = if self.is_lone_expression() {
            // As written, these braces would be called unused.
            self.span.resolved_at(Span::mixed_site())
        } else {
            self.span
        };
        block(self.tokens.clone(), span)
    }

    /// Whether this identifier stands anywhere in it.
    pub(crate) fn mentions(&self, identifier: &str) -> bool {
        mentions(&self.tokens, identifier)
    }

    /// Whether this may be a single expression, because nothing ends in a semicolon.
    fn is_lone_expression(&self) -> bool {
        let is_semicolon = |token| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ';');
        !self.tokens.is_empty() && !self.tokens.clone().into_iter().any(is_semicolon)
    }
}

/// Whether an identifier stands anywhere in what is written.
pub(crate) fn mentions(tokens: &TokenStream, identifier: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(found) => found == identifier,
        TokenTree::Group(group) => mentions(&group.stream(), identifier),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

fn block(tokens: TokenStream, span: Span) -> Group {
    let mut block = Group::new(Delimiter::Brace, tokens);
    block.set_span(span);
    block
}
