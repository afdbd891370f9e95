//! An `async move` block at the end of a function that returns its future: in the body that
//! `#[async_trait]` gives to an `async fn`, or written by hand.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::quote;
use syn::spanned::Spanned;
use syn::{
    GenericArgument, PathArguments, PathSegment, ReturnType, Signature, Type, TypeParamBound,
    parse_quote_spanned,
};

use super::arguments::is_async_trait;
use super::body::Body;

/// The methods that box a future.
const BOXING: [&str; 2] = ["boxed", "boxed_local"];

/// The aliases of a boxed future, of which the last argument is its output.
const ALIASES: [&str; 2] = ["BoxFuture", "LocalBoxFuture"];

/// The code around an `async move` block.
pub(crate) struct AsyncBlock {
    /// Runs when the function is called.
    pub(super) statements: TokenStream,
    /// `Box::pin` and its parentheses.
    constructor: Option<(TokenStream, Span)>,
    /// `async move`
    keywords: TokenStream,
    /// `.boxed()`
    method: TokenStream,
    /// The braces of the function.
    outer: Body,
}

/// A function that returns the future of a block.
pub(crate) struct Recognized {
    /// The output of the future.
    pub(crate) output: Type,
    /// The contents of the block.
    pub(crate) body: Body,
    pub(crate) block: AsyncBlock,
}

/// A function that does not end in an `async move` block.
pub(crate) struct Other {
    pub(crate) body: Body,
    /// The `async` of a block at the end that has no `move`.
    pub(crate) borrowing: Option<Span>,
}

impl AsyncBlock {
    /// Recognizes a function whose last expression is an `async move` block, perhaps boxed; returns
    /// the body unchanged otherwise.
    pub(crate) fn recognize(signature: &Signature, outer: Body) -> Result<Recognized, Other> {
        // Input:
        //     fn quote(&self, symbol: &str) -> BoxFuture<'_, R> {
        //         let symbol = symbol.to_owned();
        //         async move { body }.boxed()
        //     }
        //
        // Output:
        //     R, { body }, and the code around it
        let other = |body, borrowing| Other { body, borrowing };
        let ReturnType::Type(_, returned) = &signature.output else {
            return Err(other(outer, None));
        };
        let parts = parts(outer.tokens()).filter(|parts| {
            // `#[async_trait]` writes no statements: these would not be known.
            signature.asyncness.is_none()
                && (parts.statements.is_empty() || !is_async_trait(signature))
        });
        let Some(parts) = parts else {
            return Err(other(outer, None));
        };
        let Parts {
            statements,
            constructor,
            keywords,
            block,
            method,
        } = parts;
        let is_boxed = constructor.is_some() || !method.is_empty();
        let Some((output, body)) = output_of(returned, is_boxed).zip(Body::from_group(&block))
        else {
            return Err(other(outer, None));
        };
        if words(&keywords) != "asyncmove" {
            return Err(other(outer, Some(keywords.span())));
        }
        Ok(Recognized {
            output,
            body,
            block: Self {
                statements,
                constructor,
                keywords,
                method,
                outer,
            },
        })
    }

    /// Returns the function's body, with `attributes` of its own, and another `block`.
    pub(crate) fn replaced_by(&self, attributes: &TokenStream, block: &Group) -> Group {
        let keywords = &self.keywords;
        self.wrap(attributes, &quote!(#keywords #block))
    }

    /// Returns the function's body, with `attributes` of its own, and `future` in place of the
    /// block.
    pub(crate) fn wrap(&self, attributes: &TokenStream, future: &TokenStream) -> Group {
        let Self {
            statements,
            constructor,
            method,
            ..
        } = self;
        let mut future = future.clone();
        if let Some((constructor, parentheses)) = constructor {
            let mut argument = Group::new(Delimiter::Parenthesis, future);
            argument.set_span(*parentheses);
            future = quote!(#constructor #argument);
        }
        self.outer
            .replaced_by(quote!(#attributes #statements #future #method))
    }
}

/// The parts of a body.
struct Parts {
    statements: TokenStream,
    constructor: Option<(TokenStream, Span)>,
    keywords: TokenStream,
    block: Group,
    method: TokenStream,
}

/// Splits a body into statements, and a block with the code that boxes it.
fn parts(body: TokenStream) -> Option<Parts> {
    let mut tokens: Vec<_> = body.into_iter().collect();
    let method = split_off_method(&mut tokens);
    let mut constructor = None;
    let mut block = pop_group(&mut tokens)?;
    let keywords;
    if block.delimiter() == Delimiter::Parenthesis && method.is_empty() {
        let parentheses = block.span();
        let mut argument: Vec<_> = block.stream().into_iter().collect();
        block = pop_group(&mut argument)?;
        keywords = split_off_keywords(&mut argument);
        let path = split_off_path(&mut tokens);
        if !argument.is_empty() || !words(&path).ends_with("Box::pin") {
            return None;
        }
        constructor = Some((path, parentheses));
    } else {
        keywords = split_off_keywords(&mut tokens);
    }
    let is_complete = match tokens.last() {
        None => true,
        Some(TokenTree::Punct(mark)) => mark.as_char() == ';',
        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Brace,
        Some(_) => false,
    };
    if keywords.is_empty() || !is_complete {
        return None;
    }
    Some(Parts {
        statements: tokens.into_iter().collect(),
        constructor,
        keywords: keywords.into_iter().collect(),
        block,
        method,
    })
}

/// Splits off `.boxed()`, if the tokens end in it.
fn split_off_method(tokens: &mut Vec<TokenTree>) -> TokenStream {
    let is_method = match tokens.last_chunk() {
        Some(
            [
                TokenTree::Punct(dot),
                TokenTree::Ident(name),
                TokenTree::Group(arguments),
            ],
        ) => {
            dot.as_char() == '.'
                && BOXING.iter().any(|boxing| name == boxing)
                && arguments.delimiter() == Delimiter::Parenthesis
                && arguments.stream().is_empty()
        }
        _ => false,
    };
    if is_method {
        tokens.split_off(tokens.len() - 3).into_iter().collect()
    } else {
        TokenStream::new()
    }
}

/// Splits off `async move`, or `async`, if the tokens end in it.
fn split_off_keywords(tokens: &mut Vec<TokenTree>) -> Vec<TokenTree> {
    let is = |token: Option<&TokenTree>, keyword| matches!(token, Some(TokenTree::Ident(word)) if word == keyword);
    let mut before = tokens.len();
    if is(tokens.last(), "move") {
        before -= 1;
    }
    match before.checked_sub(1) {
        Some(first) if is(tokens.get(first), "async") => tokens.split_off(first),
        _ => Vec::new(),
    }
}

/// Splits off the path that the tokens end in.
fn split_off_path(tokens: &mut Vec<TokenTree>) -> TokenStream {
    let mut is_after_name = false;
    let is_part = |token: &&TokenTree| match token {
        TokenTree::Ident(_) => !std::mem::replace(&mut is_after_name, true),
        TokenTree::Punct(mark) if mark.as_char() == ':' => {
            is_after_name = false;
            true
        }
        _ => false,
    };
    let length = tokens.iter().rev().take_while(is_part).count();
    tokens
        .split_off(tokens.len() - length)
        .into_iter()
        .collect()
}

/// Removes the last token, if it is a group.
fn pop_group(tokens: &mut Vec<TokenTree>) -> Option<Group> {
    match tokens.pop()? {
        TokenTree::Group(group) => Some(group),
        _ => None,
    }
}

fn words(tokens: &TokenStream) -> String {
    let tokens = tokens.clone().into_iter();
    tokens.map(|token| token.to_string()).collect()
}

/// Returns whether this is, by its looks, a future.
pub(crate) fn is_future(returned: &Type) -> bool {
    named_output(returned).is_some()
}

/// Returns `R` of a future.
fn output_of(returned: &Type, is_boxed: bool) -> Option<Type> {
    named_output(returned).or_else(|| {
        // Input, if something is boxed:
        //     Self::Future
        //
        // Output:
        //     <Self::Future as ::core::future::Future>::Output
        let name = last_segment(returned)?.ident.to_string();
        let span = returned.span().resolved_at(Span::mixed_site());
        (is_boxed && name.contains("Fut"))
            .then(|| parse_quote_spanned!(span=> <#returned as ::core::future::Future>::Output))
    })
}

/// Returns `R` of `impl Future<Output = R>`, `Pin<Box<dyn Future<Output = R>>>` or
/// `BoxFuture<'_, R>`.
fn named_output(returned: &Type) -> Option<Type> {
    if let Type::ImplTrait(future) = returned {
        return future.bounds.iter().find_map(output_of_bound);
    }
    let segment = last_segment(returned)?;
    if ALIASES.iter().any(|alias| segment.ident == alias) {
        return last_argument(segment).cloned();
    }
    let boxed = argument(segment, "Pin")?;
    let Type::TraitObject(future) = argument(last_segment(boxed)?, "Box")? else {
        return None;
    };
    future.bounds.iter().find_map(output_of_bound)
}

fn output_of_bound(bound: &TypeParamBound) -> Option<Type> {
    match bound {
        TypeParamBound::Trait(bound) => output(bound.path.segments.last()?),
        _ => None,
    }
}

/// Returns the last argument of a segment, if it is a type.
fn last_argument(segment: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    match arguments.args.last()? {
        GenericArgument::Type(argument) => Some(argument),
        _ => None,
    }
}

fn last_segment(path: &Type) -> Option<&PathSegment> {
    match path {
        Type::Path(path) => path.path.segments.last(),
        Type::Group(group) => last_segment(&group.elem),
        _ => None,
    }
}

/// Returns the type argument of a segment, if that is called `name`.
fn argument<'t>(segment: &'t PathSegment, name: &str) -> Option<&'t Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(argument) if segment.ident == name => Some(argument),
        _ => None,
    }
}

/// Returns `R` of `Future<Output = R>`.
fn output(segment: &PathSegment) -> Option<Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(output) if output.ident == "Output" => Some(output.ty.clone()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::AsyncBlock;
    use crate::function::body::Body;
    use proc_macro2::TokenStream;
    use quote::{ToTokens, quote};
    use syn::Signature;
    use syn::parse::{ParseStream, Parser};

    /// Returns the output of a function, and its body with another block; nothing if it is not
    /// recognized.
    fn recognized(function: TokenStream) -> Option<(String, String)> {
        let parse = |input: ParseStream<'_>| Ok((input.parse()?, input.parse()?));
        let (signature, outer): (Signature, Body) = parse.parse2(function).ok()?;
        let found = AsyncBlock::recognize(&signature, outer).ok()?;
        let output = found.output.into_token_stream().to_string();
        let block = found.body.replaced_by(quote!(replaced));
        Some((
            output,
            found
                .block
                .replaced_by(&TokenStream::new(), &block)
                .to_string(),
        ))
    }

    #[test]
    fn a_block_is_recognized_with_the_code_around_it() {
        let other = quote!(<Self::Future as ::core::future::Future>::Output);
        for (returned, output, before, after) in [
            (
                quote!(impl Future<Output = R> + Send + use<'_>),
                quote!(R),
                quote!(),
                quote!(),
            ),
            (
                quote!(impl Send + ::core::future::Future<Output = R>),
                quote!(R),
                quote!(let symbol = symbol.to_owned(); if symbol.is_empty() { log!(symbol) }),
                quote!(),
            ),
            (
                quote!(BoxFuture<'_, R>),
                quote!(R),
                quote!(before();),
                quote!(.boxed()),
            ),
            (
                quote!(futures::future::LocalBoxFuture<'static, R>),
                quote!(R),
                quote!(),
                quote!(.boxed_local()),
            ),
            (
                quote!(Pin<Box<dyn Future<Output = R>>>),
                quote!(R),
                quote!(before! { 1 }),
                quote!(.boxed()),
            ),
            (quote!(Self::Future), other, quote!(), quote!(.boxed())),
        ] {
            let found = recognized(quote! {
                fn quote(&self) -> #returned { #before async move { body } #after }
            });
            let block = quote!({ #before async move { replaced } #after });
            assert_eq!(
                found,
                Some((output.to_string(), block.to_string())),
                "{returned}"
            );
        }
        let found = recognized(quote! {
            fn quote() -> BoxFuture<'static, R> { let n = 1; Box::pin(async move { n }) }
        });
        let block = quote!({
            let n = 1;
            Box::pin(async move { replaced })
        });
        assert_eq!(found, Some(("R".to_owned(), block.to_string())));
    }

    #[test]
    fn a_boxed_block_is_recognized() {
        for (returned, constructor) in [
            (
                quote!(
                    ::core::pin::Pin<
                        Box<dyn ::core::future::Future<Output = Result<u8, E>> + Send + 'a>,
                    >
                ),
                quote!(Box::pin),
            ),
            (
                quote!(Pin<std::boxed::Box<dyn Send + Future<Output = Result<u8, E>>>>),
                quote!(::std::boxed::Box::pin),
            ),
        ] {
            assert_eq!(
                recognized(
                    quote!(fn quote(&self) -> #returned { #constructor(async move { body; 1 }) })
                ),
                Some((
                    quote!(Result<u8, E>).to_string(),
                    quote!({ #constructor(async move { replaced }) }).to_string()
                ))
            );
        }
    }

    #[test]
    fn no_other_body_is_recognized() {
        let boxed = quote!(Pin<Box<dyn Future<Output = R>>>);
        for function in [
            quote!(
                fn quote() -> R {
                    Box::pin(async move { body })
                }
            ),
            quote!(
                fn quote() -> Box<dyn Future<Output = R>> {
                    Box::pin(async move { body })
                }
            ),
            quote!(
                fn quote() -> Pin<Box<impl Future<Output = R>>> {
                    Box::pin(async move { body })
                }
            ),
            quote!(fn quote() -> #boxed { Box::pin(async { body }) }),
            quote!(fn quote() -> #boxed { Box::new(async move { body }) }),
            quote!(fn quote() -> #boxed { return Box::pin(async move { body }); }),
            quote!(fn quote() -> #boxed { return Box::pin(async move { body }) }),
            quote!(fn quote() -> #boxed { let future = Box::pin(async move { body }) }),
            quote!(fn quote() -> #boxed { Box::pin(first, async move { body }) }),
            quote!(fn quote<'async_trait>() -> #boxed { before(); Box::pin(async move { body }) }),
            quote!(
                fn quote() -> BoxFuture<'_, R> {
                    async { body }.boxed()
                }
            ),
            quote!(
                fn quote() -> BoxFuture<'_, R> {
                    async move { body }.boxed(1)
                }
            ),
            quote!(
                fn quote() -> BoxFuture<'_, R> {
                    Box::pin(async move { body }).boxed()
                }
            ),
            quote!(
                fn quote() -> impl Future {
                    async move { body }
                }
            ),
            quote!(
                fn quote() -> impl Future<Output = R> {
                    spawn(async move { body })
                }
            ),
            quote!(
                fn quote() -> impl Future<Output = R> {
                    || async move { body }
                }
            ),
            quote!(
                fn quote() -> Self::Future {
                    async move { body }
                }
            ),
            quote!(fn quote() -> #boxed { Box::pin(async move { body }.fuse()) }),
            quote!(fn quote() -> #boxed { Box::pin(async move { body }) as _ }),
            quote!(fn quote() -> #boxed {}),
            quote!(async fn quote() -> #boxed { Box::pin(async move { body }) }),
        ] {
            assert_eq!(recognized(function.clone()), None, "{function}");
        }
    }
}
