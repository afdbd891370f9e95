//! The breaker of a function, as an expression.

use circuit_options::defaults;
use circuit_options::names::OptionName;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Expr, Ident};

use super::config::{checked, constant, static_config};
use super::declaration::{Kind, declaration};
use crate::function::Function;
use crate::options::value::Value;
use crate::options::{Options, Written};
use crate::spans::ends;

/// Returns the breaker of a call: the one that is written, the one of its key, or the function's
/// only one. It is in a block of its own, so that its items cannot shadow anything of the user's.
pub(crate) fn breaker(function: &Function, options: &Options, span: Span) -> TokenStream {
    let breaker = options.code(OptionName::Breaker);
    let key = options.code(OptionName::Key);
    match (breaker, key) {
        (None, None) => static_breaker(function.name(), options, span),
        (Some(breaker), None) => given_breaker(breaker, function, options),
        (None, Some(key)) => keyed_breaker(key, function, options, span),
        (Some(breakers), Some(key)) => given_keyed_breaker(breakers, key, function, options, span),
    }
}

/// Returns a reference to a breaker that the user has made, or a handle of its own.
fn given_breaker(expression: &Expr, function: &Function, options: &Options) -> TokenStream {
    // Input:
    //     breaker = self.breaker
    //
    // Output, if `self` is a shared reference, which the body copies:
    //     borrowed(&self.breaker)
    //
    // Output otherwise, as the body moves what it uses of `self`:
    //     cloned(&self.breaker)
    //
    // Input:
    //     breaker = self.breakers.lock()[0]
    //
    // Output, so that the temporaries, here a lock, are dropped before the call:
    //     {
    //         let __circuit_breaker = match &self.breakers.lock()[0] {
    //             __circuit_breaker => cloned(&*__circuit_breaker),
    //         };
    //         __circuit_breaker
    //     }
    //
    // Everything is spanned at the expression, so that type errors point there.
    let span = expression.span().resolved_at(Span::mixed_site());
    let reference = reference_to(expression, function);
    if !is_place(expression) {
        let (_, last) = ends(expression);
        let found = quote_spanned!(last.resolved_at(span)=> (__circuit_breaker));
        let found = quote_spanned!(span=> &*#found);
        let breaker = taken("cloned", expression, &found, options);
        return quote_spanned! {span=> {
            let __circuit_breaker = match #reference {
                __circuit_breaker => #breaker,
            };
            __circuit_breaker
        }};
    }
    let take = if function.owns_any_in(expression) {
        "cloned"
    } else {
        "borrowed"
    };
    taken(take, expression, &reference, options)
}

/// Returns the call that takes a breaker by reference, or those of many keys.
fn taken(take: &str, expression: &Expr, reference: &TokenStream, options: &Options) -> TokenStream {
    // Input:
    //     self.breaker
    //
    // Output:
    //     borrowed(&self.breaker)
    //
    // The path begins and ends where the expression does, so that an error in it underlines all of
    // the expression.
    let (first, last) = ends(expression);
    let [first, last] = [first, last].map(|end| end.resolved_at(Span::mixed_site()));
    let runtime = options.runtime(first);
    let take = Ident::new(take, last);
    quote_spanned!(first=> #runtime::#take(#reference))
}

/// Returns whether this is a place expression that creates no temporaries.
fn is_place(expression: &Expr) -> bool {
    match expression {
        Expr::Path(_) | Expr::Lit(_) => true,
        Expr::Field(field) => is_place(&field.base),
        Expr::Index(index) => is_place(&index.expr) && is_place(&index.index),
        Expr::Unary(unary) => is_place(&unary.expr),
        Expr::Reference(reference) => is_place(&reference.expr),
        Expr::Paren(paren) => is_place(&paren.expr),
        Expr::Group(group) => is_place(&group.expr),
        _ => false,
    }
}

/// Returns a reference to an expression, spanned at that expression.
fn reference_to(expression: &Expr, function: &Function) -> TokenStream {
    // Input:
    //     self.breaker
    //
    // Output:
    //     &(self.breaker)
    //
    // Output, for an argument that is a shared reference:
    //     &*breaker
    let (first, last) = ends(expression);
    let reference = quote_spanned!(first.resolved_at(Span::mixed_site())=> &);
    if function.is_shared_argument(expression) {
        // Reborrowed: a reference to the argument itself would keep a second copy of it in the
        // future.
        return quote_spanned!(first.resolved_at(Span::mixed_site())=> #reference *#expression);
    }
    let expression = quote_spanned!(last.resolved_at(Span::mixed_site())=> (#expression));
    quote!(#reference #expression)
}

/// Returns the breaker of the call's key.
fn keyed_breaker(key: &Expr, function: &Function, options: &Options, span: Span) -> TokenStream {
    // Input:
    //     key = host, max_keys = 100
    //
    // Output:
    //     {
    //         static __CIRCUIT_CONFIG: Config = ..;
    //         static __CIRCUIT_MAX_KEYS: u32 = 100u32;
    //         static __CIRCUIT_BREAKERS: LazyBreaker<CircuitBreakers> = LazyBreaker::new(|| {
    //             function_breakers("crate::module::quote", __CIRCUIT_CONFIG, __CIRCUIT_MAX_KEYS)
    //         });
    //         use private::key::{DisplayKey as _, NoKey as _, StrKey as _};
    //         (&&&key_of(&host)).__circuit_breaker_of(&__CIRCUIT_BREAKERS)
    //     }
    let runtime = options.runtime(span);
    let config = static_config(options, span);
    let name = full_name(function.name(), options, span);
    let max_keys = max_keys(options, span);
    let declaration = declaration(Kind::Keyed, &name, options, span);
    let breakers = quote_spanned!(span=> &__CIRCUIT_BREAKERS);
    let breaker = breaker_of(key, &breakers, function, options, span);
    quote_spanned! {span=> {
        #config
        static __CIRCUIT_MAX_KEYS: ::core::primitive::u32 = #max_keys;
        static __CIRCUIT_BREAKERS: #runtime::LazyBreaker<#runtime::CircuitBreakers> =
            #runtime::LazyBreaker::new(|| {
                #runtime::function_breakers(#name, __CIRCUIT_CONFIG, __CIRCUIT_MAX_KEYS)
            });
        #declaration
        #breaker
    }}
}

/// Returns the breaker of the call's key, one of those that the user has made.
fn given_keyed_breaker(
    breakers: &Expr,
    key: &Expr,
    function: &Function,
    options: &Options,
    span: Span,
) -> TokenStream {
    // Input:
    //     breaker = self.upstreams, key = host
    //
    // Output:
    //     {
    //         use private::key::{DisplayKey as _, NoKey as _, StrKey as _};
    //         (&&&key_of(&host)).__circuit_breaker_of(keyed(&self.upstreams))
    //     }
    //
    // The key comes first: if it is awaited, nothing that the other expression locks is locked. The
    // block ends before the call, and with it all that either borrows.
    let breakers = taken(
        "keyed",
        breakers,
        &reference_to(breakers, function),
        options,
    );
    let breaker = breaker_of(key, &breakers, function, options, span);
    quote_spanned!(span=> { #breaker })
}

/// Returns the statements that find the breaker of the call's key.
fn breaker_of(
    key: &Expr,
    breakers: &TokenStream,
    function: &Function,
    options: &Options,
    span: Span,
) -> TokenStream {
    let runtime = options.runtime(span);
    let key = reference_to(key, function);
    quote_spanned! {span=>
        use #runtime::key::{DisplayKey as _, NoKey as _, StrKey as _};
        (&&&#runtime::key::key_of(#key)).__circuit_breaker_of(#breakers)
    }
}

/// Returns the bound on the number of keys.
fn max_keys(options: &Options, span: Span) -> TokenStream {
    // Input:
    //     max_keys = MOST
    //
    // Output, checked by rustc as it is a constant:
    //     check::max_keys(MOST)
    let default = defaults::MAX_KEYS;
    match options.written(OptionName::MaxKeys) {
        None => quote_spanned!(span=> #default),
        Some(Written {
            value: Value::Count(max_keys),
            ..
        }) => quote_spanned!(span=> #max_keys),
        Some(option) => checked(option, &constant(&option.expression, options), options),
    }
}

/// Returns the only breaker of the function called `name`.
fn static_breaker(name: &Ident, options: &Options, span: Span) -> TokenStream {
    // Output:
    //     {
    //         static __CIRCUIT_CONFIG: Config = ..;
    //         static __CIRCUIT_BREAKER: LazyBreaker<CircuitBreaker> =
    //             LazyBreaker::new(|| function_breaker("crate::module::quote", __CIRCUIT_CONFIG));
    //         borrowed(&__CIRCUIT_BREAKER)
    //     }
    let runtime = options.runtime(span);
    let config = static_config(options, span);
    let name = full_name(name, options, span);
    let declaration = declaration(Kind::Single, &name, options, span);
    quote_spanned! {span=> {
        #config
        static __CIRCUIT_BREAKER: #runtime::LazyBreaker<#runtime::CircuitBreaker> =
            #runtime::LazyBreaker::new(|| {
                #runtime::function_breaker(#name, __CIRCUIT_CONFIG)
            });
        #declaration
        #runtime::borrowed(&__CIRCUIT_BREAKER)
    }}
}

/// Returns the name in errors and in the registry.
fn full_name(name: &Ident, options: &Options, span: Span) -> TokenStream {
    // Input:
    //     async fn quote
    //
    // Output, unless `name` is written:
    //     concat!(module_path!(), "::", "quote")
    if let Some(name) = options.text(OptionName::Name) {
        return name.to_token_stream();
    }
    let name = name.unraw().to_string();
    quote_spanned!(span=> ::core::concat!(::core::module_path!(), "::", #name))
}
