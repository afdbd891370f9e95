//! `Box::pin(async move { .. })`: what `#[async_trait]` makes of the body of an `async fn`, and what is
//! written where there is no such trait.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;
use syn::{
    GenericArgument, PathArguments, PathSegment, ReturnType, Signature, Type, TypeParamBound,
};

use crate::body::Body;

/// What stands around the block of a boxed future.
pub(crate) struct BoxedBlock {
    /// `Box::pin`
    constructor: TokenStream,
    parentheses: Group,
    /// `async move`
    keywords: TokenStream,
    /// The braces of the function.
    outer: Body,
}

/// A function that returns the future of a block.
pub(crate) struct Boxed {
    /// What the future results in.
    pub(crate) output: Type,
    /// What is in the block.
    pub(crate) body: Body,
    pub(crate) around: BoxedBlock,
}

impl BoxedBlock {
    /// Sees through a function that does nothing but box an `async move` block; hands the body back if
    /// it does anything else.
    pub(crate) fn see_through(signature: &Signature, outer: Body) -> Result<Boxed, Body> {
        // Input:
        //     fn quote<'async_trait>(self: Box<Self>) -> Pin<Box<dyn Future<Output = R> + Send + 'async_trait>> {
        //         Box::pin(async move { body })
        //     }
        //
        // Output:
        //     R, { body }, and the rest
        let parts = match &signature.output {
            ReturnType::Type(_, returned) if signature.asyncness.is_none() => {
                output_of(returned).zip(parts(&outer))
            }
            _ => None,
        };
        let Some((output, (constructor, parentheses, keywords, body))) = parts else {
            return Err(outer);
        };
        let around = Self {
            constructor,
            parentheses,
            keywords,
            outer,
        };
        Ok(Boxed {
            output,
            body,
            around,
        })
    }

    /// The function's body, with this block in its place.
    pub(crate) fn around(&self, block: &Group) -> Group {
        let Self {
            constructor,
            keywords,
            ..
        } = self;
        let mut argument = Group::new(Delimiter::Parenthesis, quote!(#keywords #block));
        argument.set_span(self.parentheses.span());
        self.outer.replaced_by(quote!(#constructor #argument))
    }
}

/// `Box::pin`, its argument, `async move`, and the block.
fn parts(outer: &Body) -> Option<(TokenStream, Group, TokenStream, Body)> {
    let (constructor, parentheses) = ends_in_group(outer.tokens())?;
    let (keywords, block) = ends_in_group(parentheses.stream())?;
    let is_constructor = is_path(&constructor) && words(&constructor).ends_with("Box::pin");
    let is_block = words(&keywords) == "asyncmove";
    if !is_constructor || !is_block || parentheses.delimiter() != Delimiter::Parenthesis {
        return None;
    }
    let body = Body::of(&block)?;
    Some((constructor, parentheses, keywords, body))
}

/// The last group, if nothing follows it, and what comes before.
fn ends_in_group(tokens: TokenStream) -> Option<(TokenStream, Group)> {
    let mut before: Vec<_> = tokens.into_iter().collect();
    match before.pop()? {
        TokenTree::Group(group) => Some((before.into_iter().collect(), group)),
        _ => None,
    }
}

fn is_path(tokens: &TokenStream) -> bool {
    tokens.clone().into_iter().all(|token| match token {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(mark) => mark.as_char() == ':',
        TokenTree::Group(_) | TokenTree::Literal(_) => false,
    })
}

fn words(tokens: &TokenStream) -> String {
    let tokens = tokens.clone().into_iter();
    tokens.map(|token| token.to_string()).collect()
}

/// `R` in `Pin<Box<dyn Future<Output = R>>>`.
fn output_of(returned: &Type) -> Option<Type> {
    let boxed = argument(last_segment(returned)?, "Pin")?;
    let Type::TraitObject(future) = argument(last_segment(boxed)?, "Box")? else {
        return None;
    };
    future.bounds.iter().find_map(|bound| match bound {
        TypeParamBound::Trait(bound) => output(bound.path.segments.last()?),
        _ => None,
    })
}

fn last_segment(of: &Type) -> Option<&PathSegment> {
    match of {
        Type::Path(path) => path.path.segments.last(),
        Type::Group(group) => last_segment(&group.elem),
        _ => None,
    }
}

/// The type argument of a segment called `name`.
fn argument<'t>(segment: &'t PathSegment, name: &str) -> Option<&'t Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(argument) if segment.ident == name => Some(argument),
        _ => None,
    }
}

/// `R` in `Future<Output = R>`.
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
    use super::BoxedBlock;
    use crate::body::Body;
    use proc_macro2::TokenStream;
    use quote::{ToTokens, quote};
    use syn::Signature;
    use syn::parse::{ParseStream, Parser};

    /// What a function results in, and what its block is replaced by; nothing if it has none.
    fn seen(function: TokenStream) -> Option<(String, String)> {
        let parse = |input: ParseStream<'_>| Ok((input.parse()?, input.parse()?));
        let (signature, outer): (Signature, Body) = parse.parse2(function).ok()?;
        let boxed = BoxedBlock::see_through(&signature, outer).ok()?;
        let output = boxed.output.into_token_stream().to_string();
        let block = boxed.body.replaced_by(quote!(replaced));
        Some((output, boxed.around.around(&block).to_string()))
    }

    #[test]
    fn a_boxed_block_is_seen_through() {
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
                seen(quote!(fn quote(&self) -> #returned { #constructor(async move { body; 1 }) })),
                Some((
                    quote!(Result<u8, E>).to_string(),
                    quote!({ #constructor(async move { replaced }) }).to_string()
                ))
            );
        }
    }

    #[test]
    fn nothing_else_is() {
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
            quote!(fn quote() -> #boxed { before(); Box::pin(async move { body }) }),
            quote!(fn quote() -> #boxed { Box::pin(async move { body }.fuse()) }),
            quote!(fn quote() -> #boxed { Box::pin(async move { body }) as _ }),
            quote!(fn quote() -> #boxed {}),
            quote!(async fn quote() -> #boxed { Box::pin(async move { body }) }),
        ] {
            assert_eq!(seen(function.clone()), None, "{function}");
        }
    }
}
