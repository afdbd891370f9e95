//! The function under the attribute: its signature as syntax, its body as raw tokens.

mod arguments;
mod async_block;
pub(crate) mod body;
pub(crate) mod captures;
mod patterns;
mod received;
mod uses;
mod variables;

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::{
    Attribute, Expr, GenericArgument, Ident, LitStr, PathArguments, ReturnType, Signature, Token,
    Type, Visibility,
};

use self::arguments::is_async_trait;
use self::async_block::{AsyncBlock, Other, is_future};
use self::body::{Body, mentions};
use self::captures::{Captures, Code, OptionCode};
use self::received::{Named, receive};
use crate::errors::Errors;

/// A function whose body is asynchronous.
pub(crate) struct Function {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    defaultness: Option<Token![default]>,
    signature: Signature,
    /// The type of the result of a call.
    pub(crate) output: Type,
    /// The inner attributes, which are those of the function, not of a block in it.
    inner_attributes: TokenStream,
    body: Body,
    /// The code around the body, if the function is not an `async fn`.
    block: Option<AsyncBlock>,
}

impl Function {
    /// Parses the item under the attribute. Returns nothing if it cannot be wrapped.
    pub(crate) fn parse(item: TokenStream, errors: &mut Errors) -> Option<Self> {
        let parse = |input: ParseStream<'_>| parse_function(input, errors);
        let function = parse.parse2(item);
        errors.ok_or_push(function)
    }

    /// Returns the name of the function.
    pub(crate) fn name(&self) -> &Ident {
        &self.signature.ident
    }

    /// Returns the tokens before the body, as written.
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

    /// Returns the written body as a block inside of another.
    pub(crate) fn inner_block(&self) -> Group {
        self.body.as_inner_block()
    }

    /// Returns the statements that capture the arguments, each of which has a name from then on.
    pub(crate) fn capture(
        &mut self,
        options: &OptionCode,
        runtime: &TokenStream,
        span: Span,
    ) -> Captures {
        let Self {
            attributes,
            signature,
            body,
            ..
        } = self;
        if self.block.is_some() {
            return Captures::for_async_block(signature, body, options, span);
        }
        let named = Named {
            before: &|name| mentions(&options.evaluated, name),
            beside: &|name| mentions(&options.borrowing, name) || mentions(&options.after, name),
            anywhere: &|name| body.mentions(name) || options.mention(name),
        };
        let received = receive(signature, attributes, &named);
        let code = Code {
            body,
            options,
            runtime,
        };
        Captures::for_async_fn(signature, attributes, &code, &received, span)
    }

    /// Returns whether the body may own an argument that `expression` names: one that is not a
    /// shared reference.
    pub(crate) fn owns_any_in(&self, expression: &impl ToTokens) -> bool {
        arguments::owns_any_in(&self.signature, expression) || self.may_rebind(expression)
    }

    /// Returns whether `expression` is just an argument that is a shared reference.
    pub(crate) fn is_shared_argument(&self, expression: &Expr) -> bool {
        arguments::is_shared_argument(&self.signature, expression) && !self.may_rebind(expression)
    }

    /// Returns whether `expression` may name a variable of the statements before the block, which
    /// may have the name of an argument.
    fn may_rebind(&self, expression: &impl ToTokens) -> bool {
        let expression = expression.to_token_stream();
        self.block.as_ref().is_some_and(|block| {
            let names = arguments::identifiers(block.statements.clone());
            let mut names = names.into_iter().map(|name| name.to_string());
            names.any(|name| name != "self" && mentions(&expression, &name))
        })
    }

    /// Returns the function with `tokens` as its body.
    pub(crate) fn with_body(&self, tokens: TokenStream) -> TokenStream {
        let head = self.head();
        let attributes = &self.inner_attributes;
        let body = match &self.block {
            None => self.body.replaced_by(quote!(#attributes #tokens)),
            Some(block) => block.replaced_by(attributes, &self.body.replaced_by(tokens)),
        };
        quote!(#head #body)
    }

    /// Returns the first use in `expressions` of each argument that the body takes, and that may
    /// not be there any more when it has ended.
    pub(crate) fn taken_in(&self, expressions: &[&Expr]) -> Vec<Ident> {
        // A `cfg` may remove any part of the body.
        if ["cfg", "cfg_attr"].iter().any(|it| self.body.contains(it)) {
            return Vec::new();
        }
        let body = self.body.tokens();
        let used: Vec<_> = expressions
            .iter()
            .copied()
            .flat_map(variables::free)
            .collect();
        let names = arguments::owned(&self.signature).into_iter();
        let taken = names.filter(|name| uses::takes(&body, &name.to_string()));
        taken
            .filter_map(|name| used.iter().find(|used| **used == name).cloned())
            .collect()
    }

    /// Returns whether `expression` uses an argument.
    pub(crate) fn uses_argument(&self, expression: &Expr) -> bool {
        let mut used = variables::free(expression).into_iter();
        used.any(|name| arguments::are_named(&self.signature, &name.into_token_stream()))
    }

    /// Returns whether this function, which is not `async`, returns the future of a block, and
    /// `code` names no variable of its own.
    pub(crate) fn returns_future_without(&self, code: &TokenStream) -> bool {
        self.block.is_some()
            && !arguments::are_named(&self.signature, code)
            && !self.may_rebind(code)
    }

    /// Returns whether the error of `Result<T, E>` is written as a `Result`, or an alias of one.
    pub(crate) fn error_is_result(&self) -> bool {
        let last = |written: &Type| match written {
            Type::Path(path) => path.path.segments.last().cloned(),
            _ => None,
        };
        let arguments = last(&self.output).map(|output| output.arguments);
        let Some(PathArguments::AngleBracketed(arguments)) = arguments else {
            return false;
        };
        match arguments.args.iter().nth(1) {
            Some(GenericArgument::Type(error)) => {
                last(error).is_some_and(|error| error.ident.to_string().ends_with("Result"))
            }
            _ => false,
        }
    }

    /// Returns the function with `future` in place of its block.
    pub(crate) fn with_future(&self, future: &TokenStream) -> TokenStream {
        let head = self.head();
        let body = self
            .block
            .as_ref()
            .map(|block| block.wrap(&self.inner_attributes, future));
        quote!(#head #body)
    }
}

fn parse_function(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Function> {
    let attributes = input.call(Attribute::parse_outer)?;
    let visibility = input.parse()?;
    let defaultness = input.parse()?;
    check_item(input)?;
    let signature: Signature = input.parse()?;
    if input.peek(Token![;]) {
        return Err(input.error(
            "`#[circuit_breaker]` needs a body to protect; put it on the `async fn` of each `impl`",
        ));
    }
    let mut body: Body = input.parse()?;
    let inner_attributes = body.split_off_inner_attributes();

    errors.ok_or_push(check_once(&attributes));
    let (output, body, block) = match AsyncBlock::recognize(&signature, body) {
        // For a function without `->`, `#[async_trait]` writes a `()` that is nowhere in the
        // source.
        Ok(found) if is_unit(&found.output) => return Err(no_output(&signature)),
        Ok(found) => (found.output, found.body, Some(found.block)),
        Err(other) => {
            errors.ok_or_push(check_async(&signature, &other));
            (output(&signature)?, other.body, None)
        }
    };
    Ok(Function {
        attributes,
        visibility,
        defaultness,
        signature,
        output,
        inner_attributes,
        body,
        block,
    })
}

/// Rejects an item that is not a function.
fn check_item(input: ParseStream<'_>) -> syn::Result<()> {
    if begins_function(input) {
        return Ok(());
    }
    Err(input.error(if holds_functions(input) {
        "`#[circuit_breaker]` protects one function; put it on each `async fn` inside"
    } else {
        "`#[circuit_breaker]` protects a function; put it on an `async fn`"
    }))
}

/// Returns whether the keyword `fn` comes next, or only qualifiers before it.
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

/// Returns whether an `impl`, a trait or a module comes next.
fn holds_functions(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    let _unsafety: syn::Result<Option<Token![unsafe]>> = ahead.parse();
    ahead.peek(Token![impl]) || ahead.peek(Token![trait]) || ahead.peek(Token![mod])
}

/// Rejects a second `#[circuit_breaker]`; the first is the one being expanded.
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

/// Rejects a function that is not `async`, and says how to make it so.
fn check_async(signature: &Signature, other: &Other) -> syn::Result<()> {
    let Other { body, borrowing } = other;
    if signature.asyncness.is_some() {
        return Ok(());
    }
    if is_async_trait(signature) {
        let rewritten = "`#[async_trait]` has rewritten this `async fn` in a way that is not known here; \
                         put `#[circuit_breaker]` on an inherent `async fn`, and call it here";
        return Err(syn::Error::new(signature.ident.span(), rewritten));
    }
    // The body that `#[tokio::main]` and `#[tokio::test]` write.
    if body.contains("block_on") && body.contains("Builder") {
        let rewritten = "another attribute has already made this `async fn` block; \
                         put `#[circuit_breaker]` above it";
        return Err(syn::Error::new(signature.ident.span(), rewritten));
    }
    let needs = format!(
        "`#[circuit_breaker]` needs an `async fn`; write `async fn {}`",
        signature.ident
    );
    if let Some(borrowing) = borrowing {
        let message = format!(
            "`#[circuit_breaker]` needs a block that owns what it uses; write `async move`, or \
             `async fn {}`",
            signature.ident
        );
        return Err(syn::Error::new(*borrowing, message));
    }
    Err(match (&signature.output, &signature.constness) {
        (ReturnType::Type(_, output), _) if is_future(output) => syn::Error::new_spanned(
            output,
            format!(
                "{needs}, with the output of the future after `->`, or end the body in an \
                 `async move` block"
            ),
        ),
        (_, Some(constness)) => {
            syn::Error::new_spanned(constness, format!("{needs}, which cannot be `const`"))
        }
        _ => syn::Error::new_spanned(signature.fn_token, needs),
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

fn is_unit(output: &Type) -> bool {
    matches!(output, Type::Tuple(tuple) if tuple.elems.is_empty())
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
        let _ = Function::parse(item, &mut errors);
        errors.messages()
    }

    #[test]
    fn the_tokens_before_the_body_are_kept() {
        let head = quote! {
            #[doc = " Documented."]
            #[must_use]
            pub(in crate::quotes) default async unsafe extern "C" fn quote<'a, T: ?Sized + 'a, const N: usize>(
                #[cfg(all())] mut self: Arc<Self>,
                (a, _): (impl Into<T>, u8),
                _: &mut T,
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
        let body = function.map(|function| function.inner_block().into_token_stream().to_string());
        assert_eq!(
            body.ok(),
            Some(quote!({ let length = symbol. ; if }).to_string())
        );
    }

    #[test]
    fn each_item_that_cannot_be_wrapped_is_one_error() {
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
    fn each_mistake_in_a_function_is_an_error() {
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
