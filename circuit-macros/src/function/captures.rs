//! The captures of the block that runs the body of a function: its arguments.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{Attribute, Ident, Signature};

use super::arguments::{
    Variable, expects_unused, is, is_async_trait, is_condition, keep_signature, variables,
};
use super::body::{Body, mentions};
use super::received::Received;

/// The attributes that an argument's second binding keeps: with `expect`, it would be expected
/// twice.
const LINT_LEVELS: [&str; 4] = ["allow", "deny", "forbid", "warn"];

/// The code of options that may name arguments.
pub(crate) struct OptionCode {
    /// Evaluated before the block of the body is built.
    pub(crate) evaluated: TokenStream,
    /// Evaluated in a block of its own, instead of that of the body.
    pub(crate) fallback: TokenStream,
    /// Evaluated when the body, or the block that runs instead, has ended.
    pub(crate) after: TokenStream,
    /// Closures that may borrow arguments while the body runs.
    pub(crate) borrowing: TokenStream,
}

/// The code around the arguments.
pub(super) struct Code<'c> {
    pub(super) body: &'c Body,
    pub(super) options: &'c OptionCode,
    /// The path of the runtime.
    pub(super) runtime: &'c TokenStream,
}

/// How the block of the body captures an argument.
enum Capture {
    /// As the code names it, if at all.
    Nowhere,
    /// Not at all: a closure may borrow it until the block has ended.
    Borrowed,
    /// By a mention.
    Named,
    /// Although nothing names it. If it `is_reported`, rustc says that it is unused.
    Unnamed { is_reported: bool },
}

/// The statements that capture arguments, so that they are dropped as without the attribute.
#[derive(Default)]
pub(crate) struct Captures {
    /// Before all other code of the function.
    pub(crate) function: TokenStream,
    /// Before the block of the body or, with a fallback, before what builds one of the blocks.
    pub(crate) before_block: TokenStream,
    /// In the block of the body.
    pub(crate) body: TokenStream,
    /// In the block of the fallback.
    pub(crate) fallback: TokenStream,
    /// In the block of the fallback, once it may run.
    pub(crate) fallback_bindings: TokenStream,
    /// True if a rejected call needs a block like that of a fallback.
    pub(crate) is_rejected_in_block: bool,
    /// True if a predicate may borrow an argument that the block of a fallback takes.
    pub(crate) are_lent: bool,
}

impl Captures {
    /// Captures the arguments of an `async fn`.
    pub(super) fn for_async_fn(
        signature: &Signature,
        attributes: &[Attribute],
        code: &Code<'_>,
        bound_again: &[Received],
        span: Span,
    ) -> Self {
        // Input:
        //     async fn quote(symbol: String, unused: Guard, _lock: Guard) { symbol.trim() .. }
        //
        // Output, before the block of the body:
        //     let _lock = { use Keep as _; Unused(_lock).__circuit_kept() };
        //     let unused = { use Keep as _; Unused(unused).__circuit_kept() };
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
        // - rustc still reports an argument that the body does not name: as the last `unused`.
        // - `__circuit_kept` returns nothing instead of a value that is `Copy`, which the block
        //   need not store.
        let receiver = signature
            .receiver()
            .map(|receiver| receiver.self_token.into());
        let keeps_signature = keep_signature(attributes);
        let mut captures = Self::default();
        for variable in variables(signature, receiver.as_ref()) {
            let capture = variable.capture(keeps_signature, code);
            let is_bound_again = || bound_again.iter().any(|it| it.is_named(variable.name));
            match capture {
                Capture::Named => {
                    captures.body.extend(variable.mention(span));
                    captures.fallback.extend(variable.mention(span));
                }
                Capture::Unnamed { is_reported } => {
                    let kept = variable.name_at(span);
                    if !is_bound_again() {
                        captures
                            .before_block
                            .extend(variable.keep(&kept, code.runtime, span));
                    }
                    captures.body.extend(if is_reported {
                        variable.bind(&kept, span)
                    } else {
                        variable.mention_as(&kept, span)
                    });
                    captures.fallback.extend(variable.mention_as(&kept, span));
                }
                Capture::Borrowed => {
                    captures.fallback.extend(variable.mention(span));
                    captures.is_rejected_in_block = true;
                    captures.are_lent = true;
                }
                Capture::Nowhere => {}
            }
        }
        for argument in bound_again {
            captures.body.extend(argument.bind(span));
            captures.fallback_bindings.extend(argument.bind_used(span));
            captures.is_rejected_in_block |= argument.is_reordered();
        }
        captures
    }

    /// Captures the arguments of a function that returns the future of a block.
    pub(super) fn for_async_block(
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
        let is_lent = variables(signature, receiver.as_ref())
            .iter()
            .any(|variable| options.borrow(&variable.text()));
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
                are_lent: is_lent,
                ..Self::default()
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
            are_lent: is_lent,
            ..Self::default()
        }
    }
}

impl Captures {
    /// Returns an expression that captures arguments, after the statements that stand before it.
    pub(crate) fn begin(&self, expression: &TokenStream, span: Span) -> TokenStream {
        // Output, if there are any. The braces end the scope of the variables, which would have
        // drop flags in the future otherwise.
        //     { let unused = ..; async move { .. } }
        let before = &self.before_block;
        if before.is_empty() {
            return expression.clone();
        }
        quote_spanned!(span=> { #before #expression })
    }
}

impl OptionCode {
    /// Returns whether code that runs after the body names this.
    fn mention_after(&self, name: &str) -> bool {
        mentions(&self.after, name)
    }

    /// Returns whether a closure that may borrow arguments names this.
    fn borrow(&self, name: &str) -> bool {
        mentions(&self.borrowing, name)
    }

    /// Returns whether an option names this.
    pub(super) fn mention(&self, name: &str) -> bool {
        let Self {
            evaluated,
            fallback,
            after,
            borrowing,
        } = self;
        let mut all = [evaluated, fallback, after, borrowing].into_iter();
        all.any(|code| mentions(code, name))
    }
}

impl Variable<'_> {
    /// Returns how the block of the body captures this.
    fn capture(&self, keeps_signature: bool, code: &Code<'_>) -> Capture {
        let Code { body, options, .. } = code;
        let name = self.text();
        let is_named = body.mentions(&name);
        // It stays in the function, unless the body takes it.
        if options.mention_after(&name) && !(is_named && self.is_mutable) {
            return Capture::Nowhere;
        }
        // A closure that borrows it must be able to, or rustc reports where the body takes it.
        if options.borrow(&name) && !(is_named && self.is_mutable) {
            return if self.may_have_destructor && !is_named {
                Capture::Borrowed
            } else {
                Capture::Nowhere
            };
        }
        if is_named {
            return Capture::Named;
        }
        if !self.may_have_destructor {
            return Capture::Nowhere;
        }
        if name == "self" || options.mention(&name) {
            return Capture::Named;
        }
        let is_reported = !name.starts_with('_');
        let is_untouched = if is_reported {
            // Named again, it would leave an `expect` of the argument unfulfilled.
            self.attributes.iter().any(expects_unused)
        } else {
            !keeps_signature
        };
        if is_untouched {
            return Capture::Nowhere;
        }
        Capture::Unnamed { is_reported }
    }

    /// Returns a statement that captures this as a whole, and does nothing.
    fn mention(&self, span: Span) -> TokenStream {
        self.mention_as(self.name, span)
    }

    /// Returns the statement that captures this under another name.
    fn mention_as(&self, name: &Ident, span: Span) -> TokenStream {
        let conditions = self.conditions();
        quote_spanned!(span=> #(#conditions)* let _ = &#name;)
    }

    /// Returns the statement that gives this another name, if it has to be dropped.
    fn keep(&self, kept: &Ident, runtime: &TokenStream, span: Span) -> TokenStream {
        let name = self.name;
        let conditions = self.conditions();
        quote_spanned! {span=>
            #(#conditions)*
            let #kept = {
                use #runtime::Keep as _;
                #runtime::Unused(#name).__circuit_kept()
            };
        }
    }

    /// Returns the statement that captures this and binds its name to it. Conditions and levels of
    /// lints are the only attributes with a meaning there.
    fn bind(&self, kept: &Ident, span: Span) -> TokenStream {
        let Self {
            name, attributes, ..
        } = self;
        let attributes = attributes
            .iter()
            .filter(|it| is_condition(it) || LINT_LEVELS.iter().any(|level| is(it, level)));
        quote_spanned!(span=> #(#attributes)* let #name = &#kept;)
    }

    /// Returns a name like this of a variable that the user cannot name.
    fn name_at(&self, span: Span) -> Ident {
        let mut name = self.name.clone();
        name.set_span(name.span().resolved_at(span));
        name
    }

    fn conditions(&self) -> impl Iterator<Item = &Attribute> {
        let attributes = self.attributes.iter();
        attributes.filter(|attribute| is_condition(attribute))
    }
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
            fallback: TokenStream::new(),
            after: quote!(Err(after)),
            borrowing: quote!(|error| error.is(borrowed)),
        };
        let captures = function.capture(&options, &quote!(runtime), Span::call_site());
        let function = function.with_body(TokenStream::new());
        Some((captures.body.to_string(), function.to_string()))
    }

    #[test]
    fn arguments_are_captured_in_the_order_in_which_they_are_dropped() {
        let found = captured(
            quote! {
                async fn quote(
                    self: Box<Self>, number: u8, a: A, unused: B, _: C, (d, _, e): (D, D, D),
                    shared: &F, borrowed: G, after: G, keyed: H, _lock: I, #[cfg(test)] j: J, (text): String,
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
    fn an_argument_is_bound_in_the_block_if_its_pattern_leaves_parts_of_it() {
        let found = captured(
            quote! {
                async fn quote(
                    ref a: A, (_, b): (B, B), #[expect(unused)] c: C, C { d, .. }: C, mut e: D,
                    C(f, _): C, mut keyed: G, _: H, _i: I, g: u8, borrowed: J, after: J,
                ) -> R { a; b; d; e; f; keyed; g }
            },
            quote!(keyed.0),
        );
        let (statements, function) = found.unwrap_or_default();
        let expected = quote! {
            let _ = &__arg8;
            let _ = &__arg7;
            let _ = &keyed;
            let _ = &__arg5;
            let _ = &__arg4;
            let _ = &__arg3;
            let _ = &__arg2;
            let _ = &b;
            let _ = &__arg1_0;
            let _ = &__arg0;
            let ref a = __arg0;
            #[expect(unused)] let c = &__arg2;
            let C { d, .. } = __arg3;
            let mut e = __arg4;
            let mut __arg5 = __arg5;
            let C(f, _) = __arg5;
            let mut keyed = keyed;
            let mut __arg7 = __arg7;
            let mut __arg8 = __arg8;
        };
        assert_eq!(statements, expected.to_string());
        let renamed = quote! {(
            mut __arg0: A, (__arg1_0, b): (B, B), mut __arg2: C, mut __arg3: C, mut __arg4: D,
            mut __arg5: C, keyed: G, mut __arg7: H, mut __arg8: I, g: u8, borrowed: J, after: J,
        )};
        assert!(function.contains(&renamed.to_string()), "{function}");
    }

    #[test]
    fn a_second_binding_has_no_attribute_that_a_macro_reads() {
        let found = captured(
            quote! {
                async fn quote(#[case] #[allow(unused)] #[cfg(all())] a: A) -> R { 1 }
            },
            TokenStream::new(),
        );
        let (statements, _) = found.unwrap_or_default();
        let expected = quote!(#[allow(unused)] #[cfg(all())] let a = &a;);
        assert_eq!(statements, expected.to_string());
    }

    #[test]
    fn no_argument_is_named_under_an_attribute_that_may_use_its_name() {
        let signature = quote!(async fn quote(a: A, _: B, _c: C, D { d, .. }: D) -> R);
        let found = captured(quote!(#[instrument] #signature { a }), TokenStream::new());
        let (statements, function) = found.unwrap_or_default();
        assert_eq!(statements, quote!(let d = &d; let _ = &a;).to_string());
        assert!(function.contains(&signature.to_string()), "{function}");
    }
}
