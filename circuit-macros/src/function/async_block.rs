//! `Box::pin(async move { .. })`: the body that `#[async_trait]` gives to an `async fn`, or that is
//! written by hand.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;
use syn::{
    GenericArgument, PathArguments, PathSegment, ReturnType, Signature, Type, TypeParamBound,
};

use super::body::Body;

/// The code around the block of a boxed future.
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
    /// The output of the future.
    pub(crate) output: Type,
    /// The contents of the block.
    pub(crate) body: Body,
    pub(crate) wrapper: BoxedBlock,
}

impl BoxedBlock {
    /// Recognizes a function whose body is just `Box::pin(async move { .. })`; returns the body
    /// unchanged otherwise.
    pub(crate) fn recognize(signature: &Signature, outer: Body) -> Result<Boxed, Body> {
        // Input:
        //     fn quote(self: Box<Self>) -> Pin<Box<dyn Future<Output = R> + Send + 'async_trait>> {
        //         Box::pin(async move { body })
        //     }
        //
        // Output:
        //     R, { body }, and the code around it
        let parts = match &signature.output {
            ReturnType::Type(_, returned) if signature.asyncness.is_none() => {
                output_of(returned).zip(parts(&outer))
            }
            _ => None,
        };
        let Some((output, (constructor, parentheses, keywords, body))) = parts else {
            return Err(outer);
        };
        let wrapper = Self {
            constructor,
            parentheses,
            keywords,
            outer,
        };
        Ok(Boxed {
            output,
            body,
            wrapper,
        })
    }

    /// Returns the function's body, with `attributes` of its own, and `block` as the block of the
    /// future.
    pub(crate) fn wrap(&self, attributes: &TokenStream, block: &Group) -> Group {
        let Self {
            constructor,
            keywords,
            ..
        } = self;
        let mut argument = Group::new(Delimiter::Parenthesis, quote!(#keywords #block));
        argument.set_span(self.parentheses.span());
        self.outer
            .replaced_by(quote!(#attributes #constructor #argument))
    }
}

/// Splits a body into `Box::pin`, its argument, `async move`, and the block.
fn parts(outer: &Body) -> Option<(TokenStream, Group, TokenStream, Body)> {
    let (constructor, parentheses) = split_last_group(outer.tokens())?;
    let (keywords, block) = split_last_group(parentheses.stream())?;
    let is_constructor = is_path(&constructor) && words(&constructor).ends_with("Box::pin");
    let is_block = words(&keywords) == "asyncmove";
    if !is_constructor || !is_block || parentheses.delimiter() != Delimiter::Parenthesis {
        return None;
    }
    let body = Body::from_group(&block)?;
    Some((constructor, parentheses, keywords, body))
}

/// Splits off the last group, if the tokens end in one.
fn split_last_group(tokens: TokenStream) -> Option<(TokenStream, Group)> {
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

/// Returns `R` of `Pin<Box<dyn Future<Output = R>>>`.
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
    use super::BoxedBlock;
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
        let boxed = BoxedBlock::recognize(&signature, outer).ok()?;
        let output = boxed.output.into_token_stream().to_string();
        let block = boxed.body.replaced_by(quote!(replaced));
        Some((
            output,
            boxed.wrapper.wrap(&TokenStream::new(), &block).to_string(),
        ))
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
            quote!(fn quote() -> #boxed { before(); Box::pin(async move { body }) }),
            quote!(fn quote() -> #boxed { Box::pin(async move { body }.fuse()) }),
            quote!(fn quote() -> #boxed { Box::pin(async move { body }) as _ }),
            quote!(fn quote() -> #boxed {}),
            quote!(async fn quote() -> #boxed { Box::pin(async move { body }) }),
        ] {
            assert_eq!(recognized(function.clone()), None, "{function}");
        }
    }
}
