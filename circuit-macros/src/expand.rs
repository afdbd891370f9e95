//! Expansion: parse, check, generate.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Expr;

use crate::errors::Errors;
use crate::function::Function;
use crate::generate::guard::guarded;
use crate::options::{Options, rules};

/// Expands the attribute, with its `list` of options, on an `item`.
pub(crate) fn circuit_breaker(list: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = Options::parse(list, &mut errors);
    rules::check(&options, &mut errors);
    let function = Function::parse(item.clone(), &mut errors);
    if let Some(function) = &function {
        let is_variable = |code: &Expr| function.uses_argument(code);
        rules::check_constants(&options, &is_variable, &mut errors);
        if !function.error_is_result() {
            rules::check_arguments(&options, &mut errors);
        }
    }

    match (function, errors.into_compile_errors()) {
        (Some(function), None) => guarded(function, &options),
        // Emit the item anyway, so that its callers get no errors of their own.
        (_, errors) => quote!(#item #errors),
    }
}

#[cfg(test)]
mod tests {
    use super::circuit_breaker;
    use crate::tests::support::dense;
    use quote::quote;

    #[test]
    fn the_body_runs_behind_the_breaker() {
        let expanded = circuit_breaker(
            quote!(max_failures = 5, timeout = "1m30s"),
            &quote! {
                async fn quote(mut symbol: String) -> Result<impl Display, QuoteError> { Ok(symbol) }
            },
        );
        let runtime = quote!(::circuit_runtime::__private);
        let declaration = cfg!(feature = "discovery").then(|| {
            quote! {
                #runtime::declare! {
                    #runtime::Declaration::single(
                        ::core::concat!(::core::module_path!(), "::", "quote"),
                        ::core::file!(),
                        ::core::line!(),
                        &__CIRCUIT_BREAKER
                    )
                }
            }
        });
        let expected = quote! {
            async fn quote(mut symbol: String) -> Result<impl Display, QuoteError> {
                return match #runtime::guard_timed(
                    {
                        static __CIRCUIT_CONFIG: #runtime::Config = #runtime::check::valid(
                            #runtime::Config::builder()
                                .max_failures(5u32)
                                .timeout(::core::time::Duration::new(90u64, 0u32))
                                .build(),
                        );
                        static __CIRCUIT_BREAKER: #runtime::LazyBreaker<#runtime::CircuitBreaker> =
                            #runtime::LazyBreaker::new(|| {
                                #runtime::function_breaker(
                                    ::core::concat!(::core::module_path!(), "::", "quote"),
                                    __CIRCUIT_CONFIG
                                )
                            });
                        #declaration
                        #runtime::borrowed(&__CIRCUIT_BREAKER)
                    },
                    async move {
                        if false {
                            return #runtime::never::<Result<_, QuoteError>>();
                        }
                        let _ = &symbol;
                        { Ok(symbol) }
                    },
                    |__circuit_result| {
                        #runtime::Classifier(
                            __circuit_result,
                            #runtime::NotAResult
                        ).verdict()
                    }
                )
                .await
                {
                    ::core::result::Result::Ok(__circuit_result) => __circuit_result,
                    ::core::result::Result::Err(__circuit_error) =>
                        #runtime::rejected::<Result<_, QuoteError>>(__circuit_error),
                };
            }
        };
        assert_eq!(dense(&expanded), dense(&expected));
    }

    #[test]
    fn an_item_with_errors_is_emitted_unchanged() {
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
