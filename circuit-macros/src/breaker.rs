//! The breaker of a function, as an expression.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Expr, Ident};

use crate::function::Function;
use crate::options::{Options, Written};
use crate::value::{Value, ends_of};

/// The breaker that decides on a call: the one that is written, the one of a key, or the function's
/// only one. By its side stands nothing of the user's that an item of its own could shadow.
pub(crate) fn breaker(function: &Function, options: &Options, span: Span) -> TokenStream {
    if let Some(expression) = options.code("breaker") {
        own(expression, function, options)
    } else if let Some(key) = options.code("key") {
        keyed(key, function, options, span)
    } else {
        only(function.name(), options, span)
    }
}

/// A breaker that the user has made.
fn own(expression: &Expr, function: &Function, options: &Options) -> TokenStream {
    // Input:
    //     breaker = self.breaker
    //
    // Output, where `self` is a shared reference, of which the body has a copy:
    //     borrowed(&self.breaker)
    //
    // Output elsewhere, as the body takes what it needs of `self`:
    //     cloned(&self.breaker)
    //
    // Input:
    //     breaker = self.breakers.lock()[0]
    //
    // Output, so that what it is reached by is let go of before the call:
    //     {
    //         let __circuit_breaker = match &self.breakers.lock()[0] {
    //             __circuit_breaker => cloned(&*__circuit_breaker),
    //         };
    //         __circuit_breaker
    //     }
    //
    // All of it is where the expression is, so that a wrong type points nowhere else.
    let place = expression.span().resolved_at(Span::mixed_site());
    let runtime = options.runtime(place);
    let reference = reference_to(expression, function);
    if !is_place(expression) {
        let (_, last) = ends_of(expression);
        let found = quote_spanned!(last.resolved_at(place)=> (__circuit_breaker));
        return quote_spanned! {place=> {
            let __circuit_breaker = match #reference {
                __circuit_breaker => #runtime::cloned(&*#found),
            };
            __circuit_breaker
        }};
    }
    let take = if function.owns_any_in(expression) {
        Ident::new("cloned", place)
    } else {
        Ident::new("borrowed", place)
    };
    quote_spanned!(place=> #runtime::#take(#reference))
}

/// Whether nothing is made on the way to what is written.
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

/// A reference to what is written, which is where that is.
fn reference_to(expression: &Expr, function: &Function) -> TokenStream {
    let (first, last) = ends_of(expression);
    let reference = quote_spanned!(first.resolved_at(Span::mixed_site())=> &);
    if function.is_shared_argument(expression) {
        // The future would keep an argument that is borrowed itself beside the body, which has a copy.
        return quote_spanned!(first.resolved_at(Span::mixed_site())=> #reference *#expression);
    }
    let expression = quote_spanned!(last.resolved_at(Span::mixed_site())=> (#expression));
    quote!(#reference #expression)
}

/// The breaker of a key.
fn keyed(key: &Expr, function: &Function, options: &Options, span: Span) -> TokenStream {
    // Input:
    //     key = host, max_keys = 100
    //
    // Output:
    //     {
    //         static __CIRCUIT_CONFIG: Config = ..;
    //         static __CIRCUIT_BREAKERS: Lazy<Keyed> =
    //             Lazy::new(|| Keyed::new("crate::module::quote", __CIRCUIT_CONFIG, 100u32));
    //         use private::key::{DisplayKey as _, NoKey as _, StrKey as _};
    //         (&&&key_of(&host)).__circuit_breaker_of(&__CIRCUIT_BREAKERS)
    //     }
    let runtime = options.runtime(span);
    let config = config(options, span);
    let name = full_name(function.name(), options, span);
    let most = max_keys(options, span);
    let reference = reference_to(key, function);
    quote_spanned! {span=> {
        #config
        static __CIRCUIT_MAX_KEYS: ::core::primitive::u32 = #most;
        static __CIRCUIT_BREAKERS: #runtime::Lazy<#runtime::key::Keyed> =
            #runtime::Lazy::new(|| {
                #runtime::key::Keyed::new(#name, __CIRCUIT_CONFIG, __CIRCUIT_MAX_KEYS)
            });
        use #runtime::key::{DisplayKey as _, NoKey as _, StrKey as _};
        (&&&#runtime::key::key_of(#reference)).__circuit_breaker_of(&__CIRCUIT_BREAKERS)
    }}
}

/// How many keys there may be.
fn max_keys(options: &Options, span: Span) -> TokenStream {
    match options.written("max_keys") {
        None => quote_spanned!(span=> 10_000u32),
        Some(Written {
            value: Value::Count(most),
            ..
        }) => quote_spanned!(span=> #most),
        Some(option) => checked(option, &option.expression, options),
    }
}

/// The one breaker of the function called `name`.
fn only(name: &Ident, options: &Options, span: Span) -> TokenStream {
    // Output:
    //     {
    //         static __CIRCUIT_CONFIG: Config = ..;
    //         static __CIRCUIT_BREAKER: Lazy<CircuitBreaker> =
    //             Lazy::new(|| CircuitBreaker::new("crate::module::quote", __CIRCUIT_CONFIG));
    //         borrowed(&__CIRCUIT_BREAKER)
    //     }
    let runtime = options.runtime(span);
    let config = config(options, span);
    let name = full_name(name, options, span);
    quote_spanned! {span=> {
        #config
        static __CIRCUIT_BREAKER: #runtime::Lazy<#runtime::CircuitBreaker> =
            #runtime::Lazy::new(|| {
                #runtime::CircuitBreaker::new(#name, __CIRCUIT_CONFIG)
            });
        #runtime::borrowed(&__CIRCUIT_BREAKER)
    }}
}

/// The name in errors and in the registry.
fn full_name(name: &Ident, options: &Options, span: Span) -> TokenStream {
    if let Some(name) = options.text("name") {
        return name.to_token_stream();
    }
    let name = name.unraw().to_string();
    quote_spanned!(span=> ::core::concat!(::core::module_path!(), "::", #name))
}

/// The rules, checked by the compiler.
fn config(options: &Options, span: Span) -> TokenStream {
    // Input:
    //     max_failures = 5, reset = "30s"
    //
    // Output:
    //     static __CIRCUIT_CONFIG: Config = valid(
    //         Config::builder().max_failures(5u32).reset(Duration::new(30u64, 0u32)).build(),
    //     );
    //
    // It is no `const`, because one that fails is reported again where it is used.
    let runtime = options.runtime(span);
    let builder = builder(options, span);
    quote_spanned! {span=>
        static __CIRCUIT_CONFIG: #runtime::Config = #runtime::check::valid(
            #builder.build(),
        );
    }
}

/// The builder of the configuration, with all that was written.
fn builder(options: &Options, span: Span) -> TokenStream {
    let settings: Vec<_> = options.iter().filter(|option| is_setting(option)).collect();
    let is_constant = |option: &&Written| matches!(option.value, Value::Constant);

    let runtime = options.runtime(span);
    let mut builder = quote_spanned!(span=> #runtime::Config::builder());
    for option in &settings {
        builder = set(option, &builder, options, span);
    }
    // What the macro cannot evaluate may break a rule together with any other option.
    if settings.iter().any(is_constant) {
        for option in &settings {
            builder = checked(option, &builder, options);
        }
    }
    builder
}

/// Whether the builder has a method for it.
fn is_setting(option: &Written) -> bool {
    option.name != "max_keys" && !matches!(option.value, Value::Text(_) | Value::Code)
}

/// Sets one option, on the builder of those before.
fn set(option: &Written, builder: &TokenStream, options: &Options, span: Span) -> TokenStream {
    // Input:
    //     reset = RESET, window = 100
    //
    // Output:
    //     Config::builder().reset(RESET).last_calls(100u32)
    //
    // What is a constant may be of a wrong type, which is reported at both the method and its
    // argument: hence they have one place.
    let place = match option.value {
        Value::Constant => option.expression.span(),
        _ => span,
    };
    let setter = match (option.name, &option.value) {
        ("window", Value::Constant) => return window(option, builder, options, span),
        ("window", Value::Count(_)) => Ident::new("last_calls", place),
        (name, _) => Ident::new(name, place),
    };
    let argument = match &option.value {
        Value::Count(count) => quote_spanned!(span=> #count),
        Value::Span(length) => {
            let (seconds, nanoseconds) = (length.as_secs(), length.subsec_nanos());
            quote_spanned!(span=> ::core::time::Duration::new(#seconds, #nanoseconds))
        }
        Value::Share(share) => quote_spanned!(span=> #share),
        Value::Constant | Value::Text(_) | Value::Code => option.expression.to_token_stream(),
    };
    quote_spanned!(span=> #builder.#setter(#argument))
}

/// Sets a window of which only the compiler knows whether it is a span or a number of calls.
fn window(option: &Written, builder: &TokenStream, options: &Options, span: Span) -> TokenStream {
    // Input:
    //     max_failures = 5, window = WINDOW
    //
    // Output:
    //     window_of(WINDOW).set(Config::builder().max_failures(5u32))
    let place = option.expression.span();
    let runtime = options.runtime(place);
    let expression = &option.expression;
    let window = quote_spanned!(place=> #runtime::check::window_of(#expression));
    quote_spanned!(span=> #window.set(#builder))
}

/// Has the compiler check one option, beside whatever is `given` to the check, and report what is wrong
/// with it there.
fn checked(option: &Written, given: &impl ToTokens, options: &Options) -> TokenStream {
    // Input:
    //     max_failures = LIMIT
    //
    // Output:
    //     check::max_failures(Config::builder().max_failures(LIMIT))
    //
    // The call begins and ends where the value does, hence an error in it underlines that.
    let (first, last) = ends_of(&option.expression);
    let runtime = options.runtime(first);
    let check = Ident::new(option.name, first);
    let mut check = quote_spanned!(first=> #runtime::check::#check);
    if options.get("crate").is_some() {
        // That path is elsewhere, but these parentheses are not.
        check = quote_spanned!(first=> (#check));
    }
    let argument = quote_spanned!(last=> (#given));
    quote!(#check #argument)
}

#[cfg(test)]
mod tests {
    use super::builder;
    use crate::errors::Errors;
    use crate::options::Options;
    use proc_macro2::{Span, TokenStream};
    use quote::quote;

    #[test]
    fn literals_are_set() {
        assert_builder(
            quote!(
                window = 100,
                failure_rate = "50%",
                slow_call = "1500ms",
                name = "a"
            ),
            &quote! {
                ::circuit_runtime::__private::Config::builder()
                    .last_calls(100u32)
                    .failure_rate(0.5f64)
                    .slow_call(::core::time::Duration::new(1u64, 500000000u32))
            },
        );
    }

    #[test]
    fn a_predicate_is_no_rule() {
        assert_builder(
            quote!(ignore_if = is_ours, reset = RESET, failure_if = is_outage),
            &quote! {
                ::circuit_runtime::__private::check::reset(
                    ::circuit_runtime::__private::Config::builder().reset(RESET)
                )
            },
        );
    }

    #[test]
    fn beside_a_constant_every_option_is_checked() {
        let private = quote!(::circuit_runtime::__private);
        assert_builder(
            quote!(max_failures = 3, window = 2 * 5, name = "a", reset = RESET),
            &quote! {
                #private::check::reset(#private::check::window(#private::check::max_failures(
                    #private::check::window_of(2 * 5)
                        .set(::circuit_runtime::__private::Config::builder().max_failures(3u32))
                        .reset(RESET)
                )))
            },
        );
    }

    fn assert_builder(list: TokenStream, expected: &TokenStream) {
        let found = builder(&options(list), Span::call_site());
        assert_eq!(dense(&found), dense(expected));
    }

    fn options(list: TokenStream) -> Options {
        let mut errors = Errors::default();
        let options = Options::parse(list, &mut errors);
        assert_eq!(errors.messages(), [""; 0]);
        options
    }

    /// Without the spaces, which tell apart two ways of making the same `>>`.
    fn dense(tokens: &TokenStream) -> String {
        tokens.to_string().replace(' ', "")
    }
}
