//! The arguments of a function.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, FnArg, Ident, Pat, PatIdent, ReceiverKind, Signature, Type, TypePath};

use super::body::mentions;

/// The attributes of a function that do not read its signature, as rustc has them.
const SIGNATURE_KEEPING: [&str; 19] = [
    "allow",
    "automatically_derived",
    "cfg",
    "cold",
    "deny",
    "deprecated",
    "doc",
    "expect",
    "export_name",
    "forbid",
    "ignore",
    "inline",
    "link_section",
    "must_use",
    "no_mangle",
    "should_panic",
    "target_feature",
    "track_caller",
    "warn",
];

/// The tools whose attributes rustc knows, as in `#[rustfmt::skip]`.
const TOOLS: [&str; 5] = ["clippy", "diagnostic", "miri", "rust_analyzer", "rustfmt"];

/// The types without a destructor.
const PRIMITIVES: [&str; 17] = [
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "str", "u8", "u16",
    "u32", "u64", "u128", "usize",
];

/// The beginning of the name of an argument that has none, as rustc calls it.
pub(super) const UNNAMED: &str = "__arg";

/// A variable that an argument, or a part of it, is bound to by value.
pub(super) struct Variable<'s> {
    pub(super) name: &'s Ident,
    pub(super) is_mutable: bool,
    pub(super) may_have_destructor: bool,
    /// The attributes of the argument.
    pub(super) attributes: &'s [Attribute],
}

impl Variable<'_> {
    pub(super) fn text(&self) -> String {
        self.name.to_string()
    }
}

/// Returns the variables in the order in which an `async fn` drops them.
pub(super) fn variables<'s>(
    signature: &'s Signature,
    receiver: Option<&'s Ident>,
) -> Vec<Variable<'s>> {
    let mut variables = Vec::new();
    for argument in signature.inputs.iter().rev() {
        match argument {
            FnArg::Receiver(argument) => {
                let may_have_destructor = match &argument.kind {
                    ReceiverKind::Value => true,
                    ReceiverKind::Typed(_, receiver) => may_have_destructor(receiver),
                    _ => false,
                };
                variables.extend(receiver.map(|name| Variable {
                    name,
                    is_mutable: argument.mutability.is_some(),
                    may_have_destructor,
                    attributes: &argument.attrs,
                }));
            }
            FnArg::Typed(argument) => {
                let mut bound = Vec::new();
                bind(
                    &argument.pat,
                    Some(&argument.ty),
                    &argument.attrs,
                    &mut bound,
                );
                // Parts that a pattern leaves in place are dropped after those it moves.
                let (left, taken): (Vec<_>, Vec<_>) = bound
                    .into_iter()
                    .partition(|variable| variable.text().starts_with(UNNAMED));
                variables.extend(taken.into_iter().rev().chain(left));
            }
        }
    }
    variables.retain(|variable| variable.may_have_destructor || variable.is_mutable);
    variables
}

/// Adds the variables of a pattern, in order. The type is that of the pattern, if it is known.
fn bind<'s>(
    pattern: &'s Pat,
    bound: Option<&'s Type>,
    attributes: &'s [Attribute],
    variables: &mut Vec<Variable<'s>>,
) {
    let mut bind_untyped = |pattern| bind(pattern, None, attributes, variables);
    match (pattern, bound) {
        (Pat::Ident(variable), _) if variable.by_ref.is_none() => variables.push(Variable {
            name: &variable.ident,
            is_mutable: variable.mutability.is_some(),
            may_have_destructor: bound.is_none_or(may_have_destructor),
            attributes,
        }),
        // It binds references.
        (_, Some(Type::Reference(_))) => {}
        (Pat::Paren(inner), _) => bind(&inner.pat, bound, attributes, variables),
        (Pat::Tuple(tuple), Some(Type::Tuple(types))) if tuple.elems.len() == types.elems.len() => {
            for (element, bound) in tuple.elems.iter().zip(&types.elems) {
                bind(element, Some(bound), attributes, variables);
            }
        }
        (Pat::Tuple(tuple), _) => tuple.elems.iter().for_each(bind_untyped),
        (Pat::TupleStruct(tuple), _) => tuple.elems.iter().for_each(bind_untyped),
        (Pat::Slice(slice), _) => slice.elems.iter().for_each(bind_untyped),
        (Pat::Struct(fields), _) => {
            for field in &fields.fields {
                bind_untyped(&field.pat);
            }
        }
        _ => {}
    }
}

/// Gives a name of its own to an argument, or to each part of a tuple, that has none and may have a
/// destructor: to a `_`, or a `_name` that is not named elsewhere.
pub(super) fn name_wildcards(
    pattern: &mut Pat,
    bound: &Type,
    name: &str,
    is_named: &dyn Fn(&str) -> bool,
) {
    // Input:
    //     async fn quote(_: Guard, (_, symbol): (Guard, String), _lock: Lock) -> ..
    //
    // Output, where `_lock` is another variable, with its old name: if one of the user's were
    // named in what is generated, clippy could warn about its use.
    //     async fn quote(__arg0: Guard, (__arg1_0, symbol): (Guard, String), _lock: Lock) -> ..
    match (pattern, bound) {
        (Pat::Tuple(tuple), Type::Tuple(types)) if tuple.elems.len() == types.elems.len() => {
            let elements = tuple.elems.iter_mut().zip(&types.elems);
            for (index, (element, bound)) in elements.enumerate() {
                name_wildcards(element, bound, &format!("{name}_{index}"), is_named);
            }
        }
        (_, bound) if !may_have_destructor(bound) => {}
        (pattern @ Pat::Wild(_), _) => {
            *pattern = Pat::Ident(PatIdent {
                attrs: Vec::new(),
                by_ref: None,
                mutability: None,
                ident: Ident::new(name, pattern.span().resolved_at(Span::mixed_site())),
                subpat: None,
            });
        }
        (Pat::Ident(variable), _) => {
            let name = variable.ident.to_string();
            if name.starts_with('_') && !is_named(&name) {
                let own = variable.ident.span().resolved_at(Span::mixed_site());
                variable.ident.set_span(own);
            }
        }
        _ => {}
    }
}

/// Returns whether no attribute of a function may do something with each name in its signature, as
/// `#[instrument]` does.
pub(super) fn keep_signature(attributes: &[Attribute]) -> bool {
    attributes.iter().all(is_signature_keeping)
}

fn is_signature_keeping(attribute: &Attribute) -> bool {
    let first = attribute.path().segments.first();
    first.is_some_and(|first| TOOLS.iter().any(|tool| first.ident == tool))
        || SIGNATURE_KEEPING.iter().any(|name| is(attribute, name))
}

pub(super) fn is(attribute: &Attribute, name: &str) -> bool {
    attribute.path().is_ident(name)
}

/// Returns whether this decides whether an argument is there.
pub(super) fn is_condition(attribute: &Attribute) -> bool {
    is(attribute, "cfg") || is(attribute, "cfg_attr")
}

/// Returns whether this is an `#[expect(unused_variables)]`, which has to be where the body uses
/// the variables.
pub(super) fn expects_unused(attribute: &Attribute) -> bool {
    let words = identifiers(attribute.meta.to_token_stream());
    words.iter().any(|word| word == "expect")
        && words
            .iter()
            .any(|word| word.to_string().starts_with("unused"))
}

/// Returns whether the values of this type may do something when they are dropped.
pub(super) fn may_have_destructor(argument: &Type) -> bool {
    match argument {
        Type::Reference(_) | Type::Ptr(_) | Type::FnPtr(_) | Type::Never(_) => false,
        Type::Array(array) => may_have_destructor(&array.elem),
        Type::Group(group) => may_have_destructor(&group.elem),
        Type::Paren(paren) => may_have_destructor(&paren.elem),
        Type::Tuple(tuple) => tuple.elems.iter().any(may_have_destructor),
        Type::Path(path) => !is_primitive(path),
        _ => true,
    }
}

fn is_primitive(path: &TypePath) -> bool {
    let name = path.path.get_ident();
    name.is_some_and(|name| PRIMITIVES.iter().any(|primitive| name == primitive))
}

/// Returns whether the body may own an argument that `expression` names: one that is not a shared
/// reference.
pub(crate) fn owns_any_in(signature: &Signature, expression: &impl ToTokens) -> bool {
    let names = signature.inputs.iter().filter(|input| !is_shared(input));
    let names = names.flat_map(|input| identifiers(binding(input)));
    let expression = expression.to_token_stream();
    names
        .into_iter()
        .any(|name| mentions(&expression, &name.to_string()))
}

/// Returns the names of the arguments that are no shared references, if they are just names.
pub(super) fn owned(signature: &Signature) -> Vec<Ident> {
    let inputs = signature.inputs.iter().filter(|input| !is_shared(input));
    let names = inputs.filter_map(|input| match input {
        FnArg::Receiver(receiver) => Some(receiver.self_token.into()),
        FnArg::Typed(argument) if argument.attrs.iter().any(is_condition) => None,
        FnArg::Typed(argument) => match &*argument.pat {
            Pat::Ident(variable) if variable.by_ref.is_none() && variable.subpat.is_none() => {
                Some(variable.ident.clone())
            }
            _ => None,
        },
    });
    names.collect()
}

/// Returns whether `expression` names an argument.
pub(super) fn are_named(signature: &Signature, expression: &TokenStream) -> bool {
    let names = signature
        .inputs
        .iter()
        .flat_map(|input| identifiers(binding(input)));
    names
        .into_iter()
        .any(|name| mentions(expression, &name.to_string()))
}

/// Returns whether `expression` is just an argument that is a shared reference.
pub(crate) fn is_shared_argument(signature: &Signature, expression: &Expr) -> bool {
    let written = expression.to_token_stream().to_string();
    let mut inputs = signature.inputs.iter();
    inputs.any(|input| is_shared(input) && binding(input).to_string() == written)
}

/// Returns whether this argument is a shared reference, and so `Copy`.
fn is_shared(argument: &FnArg) -> bool {
    match argument {
        FnArg::Receiver(receiver) => match &receiver.kind {
            ReceiverKind::Reference(_, _, mutability) => mutability.is_none(),
            ReceiverKind::Typed(_, receiver) => is_shared_reference(receiver),
            _ => false,
        },
        FnArg::Typed(argument) => {
            matches!(*argument.pat, Pat::Ident(_)) && is_shared_reference(&argument.ty)
        }
    }
}

fn is_shared_reference(argument: &Type) -> bool {
    matches!(argument, Type::Reference(reference) if reference.mutability.is_none())
}

/// Returns whether this is a function that `#[async_trait]` has rewritten.
pub(super) fn is_async_trait(signature: &Signature) -> bool {
    let mut lifetimes = signature.generics.lifetimes();
    lifetimes.any(|lifetime| lifetime.lifetime.ident == "async_trait")
}

/// Returns the pattern that binds an argument.
fn binding(argument: &FnArg) -> TokenStream {
    match argument {
        FnArg::Receiver(receiver) => receiver.self_token.to_token_stream(),
        FnArg::Typed(argument) => argument.pat.to_token_stream(),
    }
}

pub(super) fn identifiers(tokens: TokenStream) -> Vec<Ident> {
    let tokens = tokens.into_iter();
    let found = tokens.flat_map(|token| match token {
        TokenTree::Ident(found) => vec![found],
        TokenTree::Group(group) => identifiers(group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => Vec::new(),
    });
    found.collect()
}
