//! Arguments that the block of the body binds by their patterns, as an `async fn` does.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, Ident, Pat, PatIdent, PatType, PatWild, Signature, Token};

use super::arguments::{
    UNNAMED, expects_unused, is, is_condition, keep_signature, may_have_destructor, name_wildcards,
};
use super::patterns::{Parts, as_variable};

/// A function that returns whether some code names a variable.
pub(super) type Names<'n> = &'n dyn Fn(&str) -> bool;

/// The code that may name arguments.
pub(super) struct Named<'n> {
    /// By options that are evaluated before the block of the body is built.
    pub(super) before: Names<'n>,
    /// By options that borrow arguments while the block runs, or use them after it.
    pub(super) beside: Names<'n>,
    pub(super) anywhere: Names<'n>,
}

/// An argument that the block of the body binds.
pub(super) struct Received {
    attributes: Vec<Attribute>,
    /// The name in the signature.
    name: Ident,
    pattern: Pat,
    binding: Binding,
    /// True if the pattern moves parts of it into variables.
    are_moved: bool,
}

/// How the block of the body binds an argument.
#[derive(Clone, Copy, PartialEq)]
enum Binding {
    /// As a reference to what the block has captured.
    Borrowed,
    /// By a pattern that leaves parts in what the block has captured.
    InPlace,
    /// As variables of the block only.
    Moved,
}

/// Gives a name of its own to each argument, or part of one, that the block of the body could not
/// drop in time. Returns those that the block has to bind, in order.
pub(super) fn receive(
    signature: &mut Signature,
    attributes: &[Attribute],
    named: &Named<'_>,
) -> Vec<Received> {
    // Input:
    //     async fn quote(
    //         _: Guard, (_, symbol): (Guard, String), ref market: Market,
    //         Order { id, .. }: Order, mut account: Account,
    //     ) -> ..
    //
    // Output:
    //     async fn quote(
    //         __arg0: Guard, (__arg1_0, symbol): (Guard, String), mut __arg2: Market,
    //         mut __arg3: Order, mut __arg4: Account,
    //     ) -> ..
    //
    // Output, in the block of the body, which has captured them all:
    //     let ref market = __arg2;
    //     let Order { id, .. } = __arg3;
    //     let mut account = __arg4;
    //
    // - What `Order` has besides `id` has no name. It is dropped in time only if the block has
    //   captured all of it.
    // - The block drops its variables before what it has captured. After `id`, all arguments have
    //   to be variables of the block, although they are stored once more as such.
    let mut received = Vec::new();
    if !keep_signature(attributes) {
        return received;
    }
    let mut is_after_moved = false;
    for (index, argument) in signature.inputs.iter_mut().enumerate() {
        let FnArg::Typed(argument) = argument else {
            continue;
        };
        if !may_have_destructor(&argument.ty) {
            continue;
        }
        let name = format!("{UNNAMED}{index}");
        let mut pattern = Pat::clone(&argument.pat);
        name_wildcards(&mut pattern, &argument.ty, &name, named.anywhere);
        let Some(binding) = binding(argument, &pattern, named, is_after_moved) else {
            *argument.pat = pattern;
            continue;
        };
        if binding == Binding::InPlace {
            is_after_moved = Parts::new(&argument.pat, Some(&argument.ty)).are_moved;
        }
        received.push(Received::new(argument, &name, binding, named));
    }
    received
}

/// Returns how the block of the body has to bind an argument, unless it just captures what the
/// `pattern` in the signature binds.
fn binding(
    argument: &PatType,
    pattern: &Pat,
    named: &Named<'_>,
    is_after_moved: bool,
) -> Option<Binding> {
    let written = Parts::new(&argument.pat, Some(&argument.ty));
    let variable = as_variable(&argument.pat);
    if written.are_unknown || written.are_named(named.beside) {
        return None;
    }
    if written.are_named(named.before) {
        return (is_after_moved && variable.is_some()).then_some(Binding::Moved);
    }
    if is_after_moved {
        return Some(Binding::Moved);
    }
    if argument.attrs.iter().any(expects_unused) {
        let is_unused = variable.is_some() && !written.are_named(named.anywhere);
        return Some(if is_unused {
            Binding::Borrowed
        } else {
            Binding::InPlace
        });
    }
    let is_left = Parts::new(pattern, Some(&argument.ty)).are_left;
    is_left.then_some(Binding::InPlace)
}

/// Returns whether this is a `_name` that is not named elsewhere.
fn is_unneeded(variable: &Ident, named: &Named<'_>) -> bool {
    let name = variable.to_string();
    name.starts_with('_') && !(named.anywhere)(&name)
}

impl Received {
    /// Changes an argument of the signature so that the block of the body can bind it.
    fn new(argument: &mut PatType, name: &str, binding: Binding, named: &Named<'_>) -> Self {
        let mut pattern = Pat::clone(&argument.pat);
        let span = pattern.span().resolved_at(Span::mixed_site());
        let (name, mutability) = match as_variable(&pattern) {
            // An option names it.
            Some(variable) if (named.before)(&variable.ident.to_string()) => {
                (variable.ident.clone(), None)
            }
            // For a `ref mut` in the pattern. rustc calls no `mut` of such a name unused.
            _ => (Ident::new(name, span), Some(Token![mut](span))),
        };
        *argument.pat = Pat::Ident(PatIdent {
            attrs: Vec::new(),
            by_ref: None,
            mutability,
            ident: name.clone(),
            subpat: None,
        });
        let are_moved = Parts::new(&pattern, Some(&argument.ty)).are_moved;
        // clippy could warn about a `_name` that nothing uses.
        if as_variable(&pattern).is_some_and(|variable| is_unneeded(&variable.ident, named)) {
            pattern = Pat::Wild(PatWild {
                attrs: Vec::new(),
                underscore_token: Token![_](span),
            });
        }
        let attributes = argument.attrs.clone();
        argument
            .attrs
            .retain(|attribute| !expects_unused(attribute));
        Self {
            attributes,
            name,
            pattern,
            binding,
            are_moved,
        }
    }

    /// Returns whether this is the argument of that name.
    pub(super) fn is_named(&self, name: &Ident) -> bool {
        self.name == *name
    }

    /// Returns whether the block, once it has bound this, drops parts of it in another order.
    pub(super) fn is_reordered(&self) -> bool {
        self.are_moved && self.binding != Binding::Borrowed
    }

    /// Returns the statements that bind this in the block of the body.
    pub(super) fn bind(&self, span: Span) -> TokenStream {
        self.bind_under(&|_| true, span)
    }

    /// Returns the statements that bind this in a block that need not use it.
    pub(super) fn bind_used(&self, span: Span) -> TokenStream {
        let mut statements = self.bind_under(&|attribute| !is(attribute, "expect"), span);
        let conditions: Vec<_> = self.conditions().collect();
        for (name, is_mutable) in Parts::new(&self.pattern, None).variables {
            if !name.to_string().starts_with('_') {
                let mutability = is_mutable.then(|| Token![mut](span));
                statements.extend(quote_spanned! {span=>
                    #(#conditions)* let _ = &#mutability #name;
                });
            }
        }
        statements
    }

    /// Returns the statements that bind this under the attributes that are kept.
    fn bind_under(&self, is_kept: &dyn Fn(&Attribute) -> bool, span: Span) -> TokenStream {
        let Self { name, pattern, .. } = self;
        let attributes = self
            .attributes
            .iter()
            .filter(|attribute| is_kept(attribute));
        let bind = |value| quote_spanned!(span=> #(#attributes)* let #pattern = #value;);
        match (self.binding, pattern) {
            (Binding::Borrowed, _) => bind(quote_spanned!(span=> &#name)),
            (Binding::Moved, pattern) if as_variable(pattern).is_none() => {
                let conditions = self.conditions();
                let moved = quote_spanned!(span=> #(#conditions)* let mut #name = #name;);
                let bound = match pattern {
                    Pat::Wild(_) => TokenStream::new(),
                    _ => bind(name.to_token_stream()),
                };
                quote_spanned!(span=> #moved #bound)
            }
            _ => bind(name.to_token_stream()),
        }
    }

    /// Returns the attributes that decide whether the argument is there.
    fn conditions(&self) -> impl Iterator<Item = &Attribute> {
        self.attributes
            .iter()
            .filter(|attribute| is_condition(attribute))
    }
}
