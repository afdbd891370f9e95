//! The function that the attribute turns its own into.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Expr, Ident};

use crate::errors::Errors;
use crate::function::Function;
use crate::opaque;
use crate::options::{Options, Written};
use crate::value::Value;

/// Expands the attribute with its `list` of options on an `item`.
pub(crate) fn circuit_breaker(list: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = Options::parse(list, &mut errors);
    let function = Function::parse(item.clone(), &mut errors);

    match (function, errors.into_compile_errors()) {
        (Some(function), None) => guarded(&function, &options),
        // The item stays, so that whoever uses it sees no error of their own.
        (_, errors) => quote!(#item #errors),
    }
}

/// Lets the circuit decide whether the body runs.
fn guarded(function: &Function, options: &Options) -> TokenStream {
    // Input:
    //     async fn quote(mut symbol: String) -> Result<Quote, QuoteError> { body }
    //
    // Output:
    //     async fn quote(mut symbol: String) -> Result<Quote, QuoteError> {
    //         return guard(
    //             { breaker },
    //             async move {
    //                 if false {
    //                     return never::<Result<Quote, QuoteError>>();
    //                 }
    //                 let _ = &symbol;
    //                 { body }
    //             },
    //             |__circuit_result, __circuit_permit| {
    //                 Verdict(__circuit_result, NoVerdict).give(__circuit_permit)
    //             },
    //             |__circuit_error| rejected::<Result<Quote, QuoteError>>(__circuit_error),
    //         )
    //         .await;
    //     }
    //
    // - The inner `return` tells the block its type before the body is checked, as the signature
    //   does without the attribute: `?` and coercions work, and a wrong body is one error.
    // - The outer one is for those who have clippy forbid to leave it out.
    // - `&symbol` has the block capture all of `symbol`. If it captured some fields, a write to one
    //   of them could be called unused. The price: a `mut` argument that is unused is only called
    //   needlessly `mut`.
    // - The breaker and the body have braces of their own: neither sees the other's items.
    // - A parameter called like a constant of the user's would be a pattern; hence the long names.
    // - Of the two closures only `rejected` asks the type for anything, so that a wrong one is one
    //   error.
    let span = function.output.span().resolved_at(Span::mixed_site());
    let head = function.head();
    let output = opaque::inferred(&function.output);
    let runtime = runtime(span);
    let guard = match options.get("timeout") {
        Some(_) => Ident::new("guard_timed", span),
        None => Ident::new("guard", span),
    };
    let breaker = breaker(function.name(), options, span);
    let mutable = function.mutable_arguments();
    let inner = function.body.inner();

    let body = function.body.replaced_by(quote_spanned! {span=>
        return #runtime::__private::#guard(
            { #breaker },
            async move {
                if false {
                    return #runtime::__private::never::<#output>();
                }
                #(let _ = &#mutable;)*
                #inner
            },
            |__circuit_result, __circuit_permit| {
                #runtime::__private::Verdict(__circuit_result, #runtime::__private::NoVerdict)
                    .give(__circuit_permit)
            },
            |__circuit_error| #runtime::__private::rejected::<#output>(__circuit_error),
        )
        .await;
    });
    quote!(#head #body)
}

/// Borrows the one breaker of the function called `name`.
fn breaker(name: &Ident, options: &Options, span: Span) -> TokenStream {
    let name = if let Some(Value::Text(name)) = options.get("name") {
        name.to_token_stream()
    } else {
        let name = name.unraw().to_string();
        quote_spanned!(span=> ::core::concat!(::core::module_path!(), "::", #name))
    };
    let settings = options.iter().filter_map(|option| {
        let setter = Ident::new(option.name, span);
        let value = match option.name {
            "max_reset" => max_reset(options, option)?,
            name => setting(name, &option.value, span)?,
        };
        Some(quote_spanned!(span=> .#setter(#value)))
    });

    // Input:
    //     max_failures = 5, reset = RESET
    //
    // Output:
    //     static __CIRCUIT_CONFIG: Config = valid(
    //         Config::builder().max_failures(5u32).reset(check::reset(RESET)).build(),
    //     );
    //     static __CIRCUIT_BREAKER: Lazy<CircuitBreaker> =
    //         Lazy::new(|| CircuitBreaker::new("crate::module::quote", __CIRCUIT_CONFIG));
    //     &__CIRCUIT_BREAKER
    //
    // The configuration is no `const`, because one that fails is reported again where it is used.
    let runtime = runtime(span);
    quote_spanned! {span=>
        static __CIRCUIT_CONFIG: #runtime::Config = #runtime::__private::valid(
            #runtime::Config::builder() #(#settings)* .build(),
        );
        static __CIRCUIT_BREAKER: #runtime::__private::Lazy<#runtime::CircuitBreaker> =
            #runtime::__private::Lazy::new(|| {
                #runtime::CircuitBreaker::new(#name, __CIRCUIT_CONFIG)
            });
        &__CIRCUIT_BREAKER
    }
}

/// What the setter of the option is given. An option that is text has no setter.
fn setting(name: &str, value: &Value, span: Span) -> Option<TokenStream> {
    match value {
        Value::Count(count) => Some(quote_spanned!(span=> #count)),
        Value::Span(length) => {
            let millis = u64::try_from(length.as_millis()).ok()?;
            Some(quote_spanned!(span=> ::core::time::Duration::from_millis(#millis)))
        }
        Value::Share(share) => Some(quote_spanned!(span=> #share)),
        Value::Constant(expression) => Some(checked(name, expression)),
        Value::Text(_) => None,
    }
}

/// The bound on the wait, which the compiler compares with where the wait begins.
fn max_reset(options: &Options, option: &Written) -> Option<TokenStream> {
    // Input:
    //     max_reset = LONGEST, reset = "30s"
    //
    // Output:
    //     check::max_reset(LONGEST, Some(Duration::from_millis(30000u64)))
    let place = option.place;
    let unchecked = |name, value: &Value| match value {
        Value::Constant(expression) => Some(expression.to_token_stream()),
        value => setting(name, value, place),
    };
    let bound = unchecked("max_reset", &option.value)?;
    let reset = if let Some(reset) = options.get("reset") {
        let reset = unchecked("reset", reset)?;
        quote_spanned!(place=> ::core::option::Option::Some(#reset))
    } else {
        quote_spanned!(place=> ::core::option::Option::None)
    };
    let runtime = runtime(place);
    Some(quote_spanned!(place=> #runtime::__private::check::max_reset(#bound, #reset)))
}

/// Has the compiler check the value of a constant, and report a wrong one there.
fn checked(name: &str, expression: &Expr) -> TokenStream {
    // Input:
    //     LIMIT
    //
    // Output:
    //     check::max_failures(LIMIT)
    //
    // The call begins and ends where the expression does, hence an error in it underlines that.
    let first = expression.span();
    let tokens = expression.to_token_stream();
    let last = tokens
        .into_iter()
        .last()
        .map_or(first, |token| token.span());

    let runtime = runtime(first);
    let check = Ident::new(name, first);
    let argument = quote_spanned!(last=> (#expression));
    quote_spanned!(first=> #runtime::__private::check::#check #argument)
}

/// The path of the runtime crate.
fn runtime(span: Span) -> TokenStream {
    quote_spanned!(span=> ::circuit_runtime)
}

#[cfg(test)]
mod tests {
    use super::circuit_breaker;
    use quote::quote;

    #[test]
    fn the_body_runs_behind_the_breaker() {
        let expanded = circuit_breaker(
            quote!(max_failures = LIMIT, timeout = "1m30s"),
            &quote! {
                async fn quote(mut symbol: String) -> Result<impl Display, QuoteError> { Ok(symbol) }
            },
        );
        let runtime = quote!(::circuit_runtime);
        let expected = quote! {
            async fn quote(mut symbol: String) -> Result<impl Display, QuoteError> {
                return #runtime::__private::guard_timed(
                    {
                        static __CIRCUIT_CONFIG: #runtime::Config = #runtime::__private::valid(
                            #runtime::Config::builder()
                                .max_failures(#runtime::__private::check::max_failures(LIMIT))
                                .timeout(::core::time::Duration::from_millis(90000u64))
                                .build(),
                        );
                        static __CIRCUIT_BREAKER: #runtime::__private::Lazy<#runtime::CircuitBreaker> =
                            #runtime::__private::Lazy::new(|| {
                                #runtime::CircuitBreaker::new(
                                    ::core::concat!(::core::module_path!(), "::", "quote"),
                                    __CIRCUIT_CONFIG
                                )
                            });
                        &__CIRCUIT_BREAKER
                    },
                    async move {
                        if false {
                            return #runtime::__private::never::<Result<_, QuoteError>>();
                        }
                        let _ = &symbol;
                        { Ok(symbol) }
                    },
                    |__circuit_result, __circuit_permit| {
                        #runtime::__private::Verdict(
                            __circuit_result,
                            #runtime::__private::NoVerdict
                        ).give(__circuit_permit)
                    },
                    |__circuit_error| #runtime::__private::rejected::<Result<_, QuoteError>>(__circuit_error),
                )
                .await;
            }
        };
        // Without the spaces, which tell apart two ways of making the same `>>`.
        assert_eq!(
            expanded.to_string().replace(' ', ""),
            expected.to_string().replace(' ', "")
        );
    }

    #[test]
    fn beside_its_mistakes_the_item_is_kept() {
        for item in [
            quote!(async fn quote() -> Result<u8, E> { let length = symbol. ; }),
            quote!(fn quote() { let }),
            quote!(
                async fn quote(&self) -> Result<u8, E>;
            ),
            quote!(
                struct Quote {
                    price: u8,
                }
            ),
        ] {
            let expanded = circuit_breaker(quote!(max_failures = 0), &item).to_string();
            assert!(expanded.starts_with(&item.to_string()), "{expanded}");
            assert!(expanded.contains("compile_error"), "{expanded}");
        }
    }
}
