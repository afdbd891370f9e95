//! The configuration of a breaker, as an expression.

use circuit_options::names::OptionName;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Ident, UnOp};

use crate::options::value::Value;
use crate::options::{Options, Written};
use crate::spans::ends;

/// Returns a static with the configuration, which rustc checks.
pub(super) fn static_config(options: &Options, span: Span) -> TokenStream {
    // Input:
    //     max_failures = 5, reset = "30s"
    //
    // Output:
    //     static __CIRCUIT_CONFIG: Config = valid(
    //         Config::builder().max_failures(5u32).reset(Duration::new(30u64, 0u32)).build(),
    //     );
    //
    // A `static`, not a `const`: a `const` that fails to evaluate is reported again at every use.
    let runtime = options.runtime(span);
    let builder = builder(options, span);
    quote_spanned! {span=>
        static __CIRCUIT_CONFIG: #runtime::Config = #runtime::check::valid(
            #builder.build(),
        );
    }
}

/// Returns the builder of the configuration, with the options that are written.
fn builder(options: &Options, span: Span) -> TokenStream {
    // Input:
    //     max_failures = LIMIT, reset = "30s"
    //
    // Output, where a constant has every option checked:
    //     check::reset(check::max_failures(
    //         Config::builder().max_failures(LIMIT).reset(Duration::new(30u64, 0u32)),
    //     ))
    let settings: Vec<_> = options.iter().filter(|option| is_setting(option)).collect();
    let is_constant = |option: &&Written| matches!(option.value, Value::Constant);

    let runtime = options.runtime(span);
    let mut builder = quote_spanned!(span=> #runtime::Config::builder());
    for option in &settings {
        builder = set(option, &builder, options, span);
    }
    // A constant, which the macro cannot evaluate, may break a rule together with any other option.
    if settings.iter().any(is_constant) {
        for option in &settings {
            builder = checked(option, &builder, options);
        }
    }
    builder
}

/// Returns whether the builder has a method for this option.
fn is_setting(option: &Written) -> bool {
    option.name != OptionName::MaxKeys && !matches!(option.value, Value::Text(_) | Value::Code)
}

/// Returns a builder with one more option set.
fn set(option: &Written, builder: &TokenStream, options: &Options, span: Span) -> TokenStream {
    // Input:
    //     reset = RESET, window = 100
    //
    // Output:
    //     Config::builder().reset(RESET).last_calls(100u32)
    //
    // A constant may be of a wrong type, which rustc reports at both the method and its argument:
    // hence they have one span.
    let setter_span = match option.value {
        Value::Constant => option.expression.span(),
        _ => span,
    };
    let setter = match (option.name, &option.value) {
        (OptionName::Window, Value::Constant) => return window(option, builder, options, span),
        (OptionName::Window, Value::Count(_)) => Ident::new("last_calls", setter_span),
        (name, _) => Ident::new(name.as_str(), setter_span),
    };
    let argument = match &option.value {
        Value::Count(count) => quote_spanned!(span=> #count),
        Value::Duration(duration) => {
            let (seconds, nanoseconds) = (duration.as_secs(), duration.subsec_nanos());
            quote_spanned!(span=> ::core::time::Duration::new(#seconds, #nanoseconds))
        }
        Value::Share(share) => quote_spanned!(span=> #share),
        Value::Constant => constant(&option.expression, options),
        Value::Text(_) | Value::Code => option.expression.to_token_stream(),
    };
    quote_spanned!(span=> #builder.#setter(#argument))
}

/// Returns a builder with a window that is a constant: only rustc knows whether it is a duration or
/// a number of calls.
fn window(option: &Written, builder: &TokenStream, options: &Options, span: Span) -> TokenStream {
    // Input:
    //     max_failures = 5, window = WINDOW
    //
    // Output:
    //     window_of(WINDOW).set(Config::builder().max_failures(5u32))
    let window_span = option.expression.span();
    let runtime = options.runtime(window_span);
    let expression = constant(&option.expression, options);
    let window = quote_spanned!(window_span=> #runtime::check::window_of(#expression));
    quote_spanned!(span=> #window.set(#builder))
}

/// Returns an expression for rustc to evaluate.
pub(super) fn constant(expression: &Expr, options: &Options) -> TokenStream {
    // Input:
    //     Duration::from_secs(30)
    //
    // Output, where a function may be called that is no `const fn`: rustc would propose a
    // `LazyLock` for the static around it.
    //     const { Duration::from_secs(30) }
    //
    // Input:
    //     *LIMIT
    //
    // Output, as `LIMIT` may be a `LazyLock` itself:
    //     const {
    //         check::dereferenced(&Pointer(&LIMIT));
    //         *LIMIT
    //     }
    if !calls(expression) {
        return expression.to_token_stream();
    }
    let check = dereferenced(expression).map(|pointer| {
        let span = pointer.span();
        let runtime = options.runtime(span);
        quote_spanned!(span=> #runtime::check::dereferenced(&#runtime::check::Pointer(&#pointer));)
    });
    let (first, last) = ends(expression);
    let block = quote_spanned!(last=> { #check #expression });
    let keyword = quote_spanned!(first=> const);
    quote!(#keyword #block)
}

/// Returns whether this may call a function, as a field does that is found by a `Deref`.
fn calls(expression: &Expr) -> bool {
    match expression {
        Expr::Path(_) | Expr::Lit(_) => false,
        Expr::Binary(binary) => calls(&binary.left) || calls(&binary.right),
        Expr::Cast(cast) => calls(&cast.expr),
        Expr::Paren(paren) => calls(&paren.expr),
        Expr::Unary(unary) => matches!(unary.op, UnOp::Deref(_)) || calls(&unary.expr),
        _ => true,
    }
}

/// Returns the path that this dereferences, if it does.
fn dereferenced(expression: &Expr) -> Option<&Expr> {
    match expression {
        Expr::Unary(unary) => match (&unary.op, &*unary.expr) {
            (UnOp::Deref(_), path @ Expr::Path(_)) => Some(path),
            (_, operand) => dereferenced(operand),
        },
        Expr::Binary(binary) => dereferenced(&binary.left).or_else(|| dereferenced(&binary.right)),
        Expr::Cast(cast) => dereferenced(&cast.expr),
        Expr::Paren(paren) => dereferenced(&paren.expr),
        _ => None,
    }
}

/// Returns `argument`, checked by rustc for an error at this option, which is reported there.
pub(super) fn checked(
    option: &Written,
    argument: &impl ToTokens,
    options: &Options,
) -> TokenStream {
    // Input:
    //     max_failures = LIMIT
    //
    // Output:
    //     check::max_failures(Config::builder().max_failures(LIMIT))
    //
    // The call begins and ends where the value does, so that an error in it underlines the value.
    let (first, last) = ends(&option.expression);
    let runtime = options.runtime(first);
    let check = Ident::new(option.name.as_str(), first);
    let mut check = quote_spanned!(first=> #runtime::check::#check);
    if options.get(OptionName::Crate).is_some() {
        // The written path has another span, but these parentheses have that of the value.
        check = quote_spanned!(first=> (#check));
    }
    let argument = quote_spanned!(last=> (#argument));
    quote!(#check #argument)
}

#[cfg(test)]
mod tests {
    use super::builder;
    use crate::tests::support::{dense, options};
    use proc_macro2::{Span, TokenStream};
    use quote::quote;

    #[test]
    fn literals_are_set_on_the_builder() {
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
    fn a_predicate_is_not_set_on_the_builder() {
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
}
