//! How the block that runs the body of a function captures the arguments.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{Attribute, Signature};

use super::arguments::{Variable, is, keep_signature, variables};
use super::body::{Body, mentions};

/// The code of options that may name arguments.
pub(crate) struct OptionCode {
    /// Evaluated before the block of the body is built, or instead of it.
    pub(crate) evaluated: TokenStream,
    /// Closures that may borrow arguments while the body runs.
    pub(crate) borrowing: TokenStream,
}

/// The statements that capture arguments, so that they are dropped as without the attribute.
#[derive(Default)]
pub(crate) struct Captures {
    /// Before all other code of the function.
    pub(crate) function: TokenStream,
    /// In the block of the body.
    pub(crate) body: TokenStream,
    /// In the block of the fallback.
    pub(crate) fallback: TokenStream,
}

impl Captures {
    /// Captures the arguments of an `async fn`.
    pub(crate) fn for_async_fn(
        signature: &Signature,
        attributes: &[Attribute],
        body: &Body,
        options: &OptionCode,
        span: Span,
    ) -> Self {
        // Input:
        //     async fn quote(symbol: String, unused: Guard, _lock: Guard) { symbol.trim() .. }
        //
        // Output, in the block of the body:
        //     let _ = &_lock;
        //     let unused = &unused;
        //     let _ = &symbol;
        //
        // - A block drops what it has captured in the order in which it first names it, hence the
        //   reverse order. A `let` that moved the arguments would have the same effect, and store
        //   all of them twice.
        // - `&symbol` captures all of `symbol`. If the block captured single fields, rustc could
        //   warn that an assignment to one of them is unused.
        // - rustc still reports an argument that the body does not name: as the second `unused`.
        let receiver = signature
            .receiver()
            .map(|receiver| receiver.self_token.into());
        let keeps_signature = keep_signature(attributes);
        let mut captures = Self::default();
        for variable in variables(signature, receiver.as_ref()) {
            if let Some(statement) = variable.capture(keeps_signature, body, options, span) {
                captures.body.extend(statement);
                captures.fallback.extend(variable.mention(span));
            }
        }
        captures
    }

    /// Captures the arguments of a function whose body is boxed.
    pub(crate) fn for_boxed(
        signature: &Signature,
        body: &Body,
        options: &OptionCode,
        span: Span,
    ) -> Self {
        let receiver = signature
            .receiver()
            .map(|receiver| receiver.self_token.into());
        let mut named: Vec<_> = variables(signature, receiver.as_ref())
            .into_iter()
            .filter_map(|variable| Some((body.position_of(&variable.text())?, variable)))
            .collect();
        let mention = |variables: &[(usize, Variable<'_>)]| -> TokenStream {
            let variables = variables.iter();
            variables
                .flat_map(|(_, variable)| variable.mention(span))
                .collect()
        };

        // As `#[async_trait]` writes it, the body first takes each argument, in order. It is
        // dropped before it has run in reverse order, as if it had returned at once.
        if is_async_trait(signature) {
            let reversed = mention(&named);
            named.reverse();
            return Self {
                function: mention(&named),
                body: reversed.clone(),
                fallback: reversed,
            };
        }
        // Otherwise the order is that of the body, which options and `mut` arguments must not
        // change.
        named.sort_by_key(|(position, _)| *position);
        let is_in_options =
            |(_, variable): &(usize, Variable<'_>)| options.mention(&variable.text());
        let mutable = named.iter().rposition(|(_, variable)| variable.is_mutable);
        Self {
            function: if named.iter().any(is_in_options) {
                mention(&named)
            } else {
                TokenStream::new()
            },
            body: mention(
                mutable
                    .and_then(|last| named.get(..=last))
                    .unwrap_or_default(),
            ),
            // An argument that only the body names is dropped after the fallback, too.
            fallback: mention(&named),
        }
    }
}

impl OptionCode {
    /// Returns whether an option names this.
    pub(super) fn mention(&self, name: &str) -> bool {
        mentions(&self.evaluated, name) || mentions(&self.borrowing, name)
    }
}

impl Variable<'_> {
    /// Returns the statement by which the block of the body captures this.
    fn capture(
        &self,
        keeps_signature: bool,
        body: &Body,
        options: &OptionCode,
        span: Span,
    ) -> Option<TokenStream> {
        let name = self.text();
        // A closure that borrows it must be able to, or rustc says where the body takes it.
        if mentions(&options.borrowing, &name) && !self.is_mutable {
            return None;
        }
        if body.mentions(&name) {
            return Some(self.mention(span));
        }
        if !self.may_have_destructor {
            return None;
        }
        if name == "self" || mentions(&options.evaluated, &name) {
            return Some(self.mention(span));
        }
        if name.starts_with('_') {
            return keeps_signature.then(|| self.mention(span));
        }
        // Bound again, it would leave an `expect` of the argument unfulfilled.
        let is_expected = self
            .attributes
            .iter()
            .any(|attribute| is(attribute, "expect"));
        (!is_expected).then(|| {
            let Self {
                name, attributes, ..
            } = self;
            quote_spanned!(span=> #(#attributes)* let #name = &#name;)
        })
    }

    /// Returns a statement that captures this as a whole, and does nothing.
    fn mention(&self, span: Span) -> TokenStream {
        let name = self.name;
        let attributes = self.attributes.iter();
        let conditions =
            attributes.filter(|attribute| is(attribute, "cfg") || is(attribute, "cfg_attr"));
        quote_spanned!(span=> #(#conditions)* let _ = &#name;)
    }
}

fn is_async_trait(signature: &Signature) -> bool {
    let mut lifetimes = signature.generics.lifetimes();
    lifetimes.any(|lifetime| lifetime.lifetime.ident == "async_trait")
}

#[cfg(test)]
mod tests {
    use super::OptionCode;
    use crate::errors::Errors;
    use crate::function::Function;
    use proc_macro2::{Span, TokenStream};
    use quote::quote;

    /// Returns the statements in the block of the body, and the function.
    fn captured(item: TokenStream, evaluated: TokenStream) -> Option<(String, String)> {
        let mut function = Function::parse(item, &mut Errors::default())?;
        let options = OptionCode {
            evaluated,
            borrowing: quote!(|error| error.is(borrowed)),
        };
        let captures = function.capture(&options, Span::call_site());
        let function = function.with_body(TokenStream::new());
        Some((captures.body.to_string(), function.to_string()))
    }

    #[test]
    fn arguments_are_captured_in_the_order_in_which_they_are_dropped() {
        let found = captured(
            quote! {
                async fn quote(
                    self: Box<Self>, number: u8, a: A, unused: B, _: C, (d, _, e): (D, D, D),
                    shared: &F, borrowed: G, keyed: H, _lock: I, #[cfg(test)] j: J, (text): String,
                ) -> R { e; d; a; j; number; println!("{text:?}") }
            },
            quote!(keyed.0),
        );
        let (statements, function) = found.unwrap_or_default();
        let expected = quote! {
            let _ = &text;
            #[cfg(test)] let _ = &j;
            let _ = &_lock;
            let _ = &keyed;
            let _ = &e;
            let _ = &d;
            let _ = &__arg5_1;
            let _ = &__arg4;
            let unused = &unused;
            let _ = &a;
            let _ = &self;
        };
        assert_eq!(statements, expected.to_string());
        let renamed = quote!(__arg4: C, (d, __arg5_1, e): (D, D, D)).to_string();
        assert!(function.contains(&renamed), "{function}");
    }

    #[test]
    fn no_argument_is_named_under_an_attribute_that_may_use_its_name() {
        let signature = quote!(async fn quote(a: A, _: B, _c: C) -> R);
        let found = captured(quote!(#[instrument] #signature { a }), TokenStream::new());
        let (statements, function) = found.unwrap_or_default();
        assert_eq!(statements, quote!(let _ = &a;).to_string());
        assert!(function.contains(&signature.to_string()), "{function}");
    }
}
