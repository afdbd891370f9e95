//! The function under the attribute: its signature as syntax, its body as bare tokens.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::{
    Attribute, Expr, FnArg, Ident, LitStr, Pat, ReceiverKind, ReturnType, Signature, Token, Type,
    TypeParamBound, Visibility,
};

use crate::body::{Body, mentions};
use crate::boxed::BoxedBlock;
use crate::errors::Errors;

/// A function whose body is asynchronous.
pub(crate) struct Function {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    defaultness: Option<Token![default]>,
    signature: Signature,
    /// What a call results in.
    pub(crate) output: Type,
    body: Body,
    /// What it is in, if the function is no `async fn`.
    boxed: Option<BoxedBlock>,
}

impl Function {
    /// Reads the item under the attribute. There is no function when there is a mistake.
    pub(crate) fn parse(item: TokenStream, errors: &mut Errors) -> Option<Self> {
        let parse = |input: ParseStream<'_>| parse_function(input, errors);
        let function = parse.parse2(item);
        errors.keep(function)
    }

    /// The name of the function.
    pub(crate) fn name(&self) -> &Ident {
        &self.signature.ident
    }

    /// All that stands before the body, as written.
    fn head(&self) -> TokenStream {
        let Self {
            attributes,
            visibility,
            defaultness,
            signature,
            ..
        } = self;
        quote!(#(#attributes)* #visibility #defaultness #signature)
    }

    /// The written body as a block inside of another.
    pub(crate) fn inner(&self) -> Group {
        self.body.inner()
    }

    /// Whether the type of what the body results in is for the body to say.
    pub(crate) fn is_boxed(&self) -> bool {
        self.boxed.is_some()
    }

    /// The function with `tokens` for its body.
    pub(crate) fn with_body(&self, tokens: TokenStream) -> TokenStream {
        let head = self.head();
        let body = self.body.replaced_by(tokens);
        let body = match &self.boxed {
            None => body,
            Some(boxed) => boxed.around(&body),
        };
        quote!(#head #body)
    }

    /// Whether the body may own what `expression` names: an argument that is no shared reference.
    pub(crate) fn owns_any_in(&self, expression: &impl ToTokens) -> bool {
        let names = self
            .signature
            .inputs
            .iter()
            .filter(|input| !is_shared(input));
        let names = names.flat_map(|input| identifiers(bound(input)));
        let expression = expression.to_token_stream();
        names
            .into_iter()
            .any(|name| mentions(&expression, &name.to_string()))
    }

    /// Whether `expression` is nothing but an argument that is a shared reference.
    pub(crate) fn is_shared_argument(&self, expression: &Expr) -> bool {
        let written = expression.to_token_stream().to_string();
        let mut inputs = self.signature.inputs.iter();
        inputs.any(|input| is_shared(input) && bound(input).to_string() == written)
    }

    /// The arguments that are taken by value and bound as `mut`.
    pub(crate) fn mutable_arguments(&self) -> impl Iterator<Item = Ident> {
        self.signature.inputs.iter().filter_map(mutable_argument)
    }
}

fn parse_function(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Function> {
    let attributes = input.call(Attribute::parse_outer)?;
    let visibility = input.parse()?;
    let defaultness = input.parse()?;
    check_place(input)?;
    let signature: Signature = input.parse()?;
    if input.peek(Token![;]) {
        return Err(input.error(
            "`#[circuit_breaker]` needs a body to protect; put it on the `async fn` of each `impl`",
        ));
    }
    let body: Body = input.parse()?;

    errors.keep(check_once(&attributes));
    let (output, body, boxed) = match BoxedBlock::see_through(&signature, body) {
        // Where nothing was written after `->`, there is nothing to point at.
        Ok(boxed) if is_nothing(&boxed.output) => return Err(no_output(&signature)),
        Ok(boxed) => (boxed.output, boxed.body, Some(boxed.around)),
        Err(body) => {
            errors.keep(check_async(&signature, &body));
            (output(&signature)?, body, None)
        }
    };
    Ok(Function {
        attributes,
        visibility,
        defaultness,
        signature,
        output,
        body,
        boxed,
    })
}

/// Refuses what is not a function.
fn check_place(input: ParseStream<'_>) -> syn::Result<()> {
    if begins_function(input) {
        return Ok(());
    }
    Err(input.error(if holds_functions(input) {
        "`#[circuit_breaker]` protects one function; put it on each `async fn` inside"
    } else {
        "`#[circuit_breaker]` protects a function; put it on an `async fn`"
    }))
}

/// Whether the keyword `fn` comes next, or after nothing but qualifiers.
fn begins_function(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    while !ahead.peek(Token![fn]) {
        let qualifier = ahead.peek(Token![const])
            || ahead.peek(Token![async])
            || ahead.peek(Token![unsafe])
            || ahead.peek(Token![extern])
            || ahead.peek(LitStr);
        if !qualifier || ahead.parse::<TokenTree>().is_err() {
            return false;
        }
    }
    true
}

/// Whether what comes next is an `impl`, a trait or a module.
fn holds_functions(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    let _unsafety: syn::Result<Option<Token![unsafe]>> = ahead.parse();
    ahead.peek(Token![impl]) || ahead.peek(Token![trait]) || ahead.peek(Token![mod])
}

/// Refuses a second `#[circuit_breaker]`; the first is the one being expanded.
fn check_once(attributes: &[Attribute]) -> syn::Result<()> {
    let again = attributes.iter().find(|attribute| {
        let name = attribute.path().segments.last();
        name.is_some_and(|name| name.ident == "circuit_breaker")
    });
    again.map_or(Ok(()), |again| {
        let twice = "`#[circuit_breaker]` is applied twice; remove one";
        Err(syn::Error::new_spanned(again, twice))
    })
}

fn check_async(signature: &Signature, body: &Body) -> syn::Result<()> {
    if signature.asyncness.is_some() {
        return Ok(());
    }
    let mut lifetimes = signature.generics.lifetimes();
    if lifetimes.any(|lifetime| lifetime.lifetime.ident == "async_trait") {
        let rewritten = "`#[async_trait]` has rewritten this `async fn` in a way that is not known here; \
                         put `#[circuit_breaker]` on an inherent `async fn`, and call it here";
        return Err(syn::Error::new(signature.ident.span(), rewritten));
    }
    // What `#[tokio::main]` and `#[tokio::test]` leave behind.
    if body.mentions("block_on") && body.mentions("Builder") {
        let rewritten = "another attribute has already made this `async fn` block; \
                         put `#[circuit_breaker]` above it";
        return Err(syn::Error::new(signature.ident.span(), rewritten));
    }
    let needs = format!(
        "`#[circuit_breaker]` needs an `async fn`; write `async fn {}`",
        signature.ident
    );
    Err(match (&signature.output, &signature.constness) {
        (ReturnType::Type(_, output), _) if is_future(output) => syn::Error::new_spanned(
            output,
            format!("{needs}, with the output of the future after `->`"),
        ),
        (_, Some(constness)) => {
            syn::Error::new_spanned(constness, format!("{needs}, which cannot be `const`"))
        }
        _ => syn::Error::new_spanned(signature.fn_token, needs),
    })
}

/// Whether this is an `impl Future`.
fn is_future(output: &Type) -> bool {
    let Type::ImplTrait(output) = output else {
        return false;
    };
    output.bounds.iter().any(|bound| match bound {
        TypeParamBound::Trait(bound) => {
            let name = bound.path.segments.last();
            name.is_some_and(|name| name.ident == "Future")
        }
        _ => false,
    })
}

fn output(signature: &Signature) -> syn::Result<Type> {
    match &signature.output {
        ReturnType::Type(_, output) => Ok(Type::clone(output)),
        ReturnType::Default => Err(no_output(signature)),
    }
}

fn no_output(signature: &Signature) -> syn::Error {
    let needs = "`#[circuit_breaker]` needs a function that returns a `Result`; \
                 write `-> Result<(), YourError>`";
    syn::Error::new(signature.paren_token.span.close(), needs)
}

fn is_nothing(output: &Type) -> bool {
    matches!(output, Type::Tuple(tuple) if tuple.elems.is_empty())
}

/// Whether this is an argument of which everybody can have a copy.
fn is_shared(argument: &FnArg) -> bool {
    match argument {
        FnArg::Receiver(receiver) => match &receiver.kind {
            ReceiverKind::Reference(_, _, mutability) => mutability.is_none(),
            ReceiverKind::Typed(_, of) => is_shared_reference(of),
            _ => false,
        },
        FnArg::Typed(argument) => {
            matches!(*argument.pat, Pat::Ident(_)) && is_shared_reference(&argument.ty)
        }
    }
}

fn is_shared_reference(of: &Type) -> bool {
    matches!(of, Type::Reference(reference) if reference.mutability.is_none())
}

/// What an argument binds.
fn bound(argument: &FnArg) -> TokenStream {
    match argument {
        FnArg::Receiver(receiver) => receiver.self_token.to_token_stream(),
        FnArg::Typed(argument) => argument.pat.to_token_stream(),
    }
}

fn identifiers(tokens: TokenStream) -> Vec<Ident> {
    let tokens = tokens.into_iter();
    let found = tokens.flat_map(|token| match token {
        TokenTree::Ident(found) => vec![found],
        TokenTree::Group(group) => identifiers(group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => Vec::new(),
    });
    found.collect()
}

/// The name in `mut order: Order` or `mut self`. An argument with attributes may be configured
/// away.
fn mutable_argument(argument: &FnArg) -> Option<Ident> {
    match argument {
        FnArg::Receiver(receiver) if receiver.attrs.is_empty() => match receiver.kind {
            ReceiverKind::Value | ReceiverKind::Typed(..) => {
                receiver.mutability.map(|_| receiver.self_token.into())
            }
            _ => None,
        },
        FnArg::Typed(argument) if argument.attrs.is_empty() => match &*argument.pat {
            Pat::Ident(name) if name.by_ref.is_none() => {
                name.mutability.map(|_| name.ident.clone())
            }
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Function;
    use crate::errors::Errors;
    use proc_macro2::TokenStream;
    use quote::{ToTokens, quote};

    fn parse(item: TokenStream) -> Result<Function, Vec<String>> {
        let mut errors = Errors::default();
        Function::parse(item, &mut errors).ok_or_else(|| errors.messages())
    }

    fn mistakes(item: TokenStream) -> Vec<String> {
        let mut errors = Errors::default();
        let _function = Function::parse(item, &mut errors);
        errors.messages()
    }

    #[test]
    fn the_head_is_kept_token_for_token() {
        let head = quote! {
            #[doc = " Documented."]
            #[must_use]
            pub(in crate::quotes) default async unsafe extern "C" fn quote<'a, T: ?Sized + 'a, const N: usize>(
                #[cfg(all())] mut self: Arc<Self>,
                (a, _): (u8, impl Into<T>),
            ) -> Result<&'a [T; N], E>
            where
                T: Clone,
        };
        let function = parse(quote!(#head { body }));
        assert_eq!(
            function.map(|function| function.head().to_string()).ok(),
            Some(head.to_string())
        );
    }

    #[test]
    fn a_half_typed_body_is_kept() {
        let function =
            parse(quote!(async fn quote() -> Result<u8, E> { let length = symbol. ; if }));
        let body = function.map(|function| function.inner().into_token_stream().to_string());
        assert_eq!(
            body.ok(),
            Some(quote!({ let length = symbol. ; if }).to_string())
        );
    }

    #[test]
    fn mutable_arguments_are_those_bound_by_value() {
        let function = parse(quote! {
            async fn quote(
                mut self: Box<Self>,
                mut taken: u8,
                plain: u8,
                ref mut referenced: u8,
                (mut a, b): (u8, u8),
                #[cfg(any())] mut absent: u8,
            ) -> Result<u8, E> {}
        });
        let names = function.map(|function| {
            function
                .mutable_arguments()
                .map(|name| name.to_string())
                .collect()
        });
        assert_eq!(names, Ok(vec!["self".to_owned(), "taken".to_owned()]));

        for receiver in [
            quote!(self),
            quote!(&self),
            quote!(&mut self),
            quote!(&'a mut self),
            quote!(self: &mut Self),
        ] {
            let function = parse(quote!(async fn quote(#receiver) -> Result<u8, E> {}));
            assert_eq!(
                function.map(|function| function.mutable_arguments().count()),
                Ok(0),
                "{receiver}"
            );
        }
    }

    #[test]
    fn each_wrong_place_is_one_mistake() {
        let not_async = "`#[circuit_breaker]` needs an `async fn`; write `async fn quote`";
        let not_a_function = "`#[circuit_breaker]` protects a function; put it on an `async fn`";
        let functions_inside =
            "`#[circuit_breaker]` protects one function; put it on each `async fn` inside";
        for (item, expected) in [
            (
                quote!(
                    fn quote() -> R {}
                ),
                not_async,
            ),
            (
                quote!(
                    pub unsafe extern "C" fn quote() -> R {}
                ),
                not_async,
            ),
            (
                quote!(
                    struct Quote;
                ),
                not_a_function,
            ),
            (
                quote!(
                    pub const LIMIT: u32 = 5;
                ),
                not_a_function,
            ),
            (
                quote!(
                    extern "C" {}
                ),
                not_a_function,
            ),
            (quote!(impl Client {}), functions_inside),
            (quote!(unsafe impl Client {}), functions_inside),
            (
                quote!(
                    pub trait Quotes {}
                ),
                functions_inside,
            ),
            (
                quote!(
                    mod quotes {}
                ),
                functions_inside,
            ),
        ] {
            assert_eq!(mistakes(item.clone()), [expected], "{item}");
        }
    }

    #[test]
    fn several_mistakes_are_several_errors() {
        assert_eq!(
            mistakes(quote! {
                #[circuit_breaker]
                fn quote() {}
            }),
            [
                "`#[circuit_breaker]` is applied twice; remove one",
                "`#[circuit_breaker]` needs an `async fn`; write `async fn quote`",
                "`#[circuit_breaker]` needs a function that returns a `Result`; write `-> Result<(), YourError>`",
            ]
        );
    }
}
