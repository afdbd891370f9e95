//! The closure that classifies the result of a call.

use circuit_options::names::OptionName;
use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::spanned::Spanned;
use syn::{Ident, Type};

use super::conversion::Conversion;
use crate::options::{Options, Written};

/// The predicates, in the order in which they are asked.
const PREDICATES: [OptionName; 3] = [
    OptionName::IgnoreIf,
    OptionName::RetryAfter,
    OptionName::FailureIf,
];

/// The options that are called with a result, or with its error.
pub(super) const CALLED: [OptionName; 4] = [
    OptionName::IgnoreIf,
    OptionName::RetryAfter,
    OptionName::FailureIf,
    OptionName::Classify,
];

/// Returns the closure that makes a verdict of a result.
pub(super) fn classifier(
    options: &Options,
    conversion: Conversion<'_>,
    check: &TokenStream,
    output: &Type,
    span: Span,
) -> TokenStream {
    // Input:
    //     failure_if = QuoteError::is_outage, ignore_if = |error| error.is_ours()
    //
    // Output:
    //     |__circuit_result| {
    //         classifier::<Result<Quote, QuoteError>>()(__circuit_result)
    //             .ignore_if(|error| error.is_ours())
    //             .failure_if(QuoteError::is_outage)
    //             .verdict()
    //     }
    //
    // Input:
    //     classify = |result| Verdict::from_status(result)
    //
    // Output:
    //     |__circuit_result| {
    //         classifier::<Result<Quote, QuoteError>>()(__circuit_result)
    //             .classify(|result| Verdict::from_status(result))
    //     }
    //
    // - A closure that is an argument of a method needs no type for its parameter.
    // - `ignore_if` is asked first; of an error that it ignores, no other is asked.
    let runtime = options.runtime(span);
    let classify = options.written(OptionName::Classify);
    let predicates: Vec<_> = PREDICATES
        .into_iter()
        .filter_map(|name| options.written(name))
        .collect();
    // With the bound that the conversion has, if any.
    let begin = match conversion {
        Conversion::From => quote_spanned!(span=> classifier),
        Conversion::Made(_) | Conversion::Unneeded => quote_spanned!(span=> any_classifier),
    };
    let mut classified = quote_spanned! {span=>
        #runtime::#begin::<#output>()(__circuit_result)
    };
    let Some(first) = classify.or(predicates.first().copied()) else {
        if matches!(conversion, Conversion::Unneeded) {
            return quote_spanned!(span=> |__circuit_result| #classified.verdict());
        }
        return quote_spanned! {span=>
            |__circuit_result| {
                #runtime::Classifier(__circuit_result, #runtime::NotAResult).verdict()
            }
        };
    };

    for Written {
        name, expression, ..
    } in predicates.into_iter().chain(classify)
    {
        // One span for both, as a predicate of a wrong type is reported at both.
        let method = Ident::new(name.as_str(), expression.span());
        classified = quote_spanned!(span=> #classified.#method(#expression));
    }
    // Spanned at a predicate, as this closure captures the arguments that the predicate names.
    let closure_span = first.expression.span().resolved_at(span);
    let head = quote_spanned!(closure_span=> |__circuit_result|);
    if classify.is_none() {
        classified = quote_spanned!(span=> #classified.verdict());
    }
    quote_spanned!(span=> #head { #check #classified })
}

#[cfg(test)]
mod tests {
    use super::{Conversion, classifier};
    use crate::tests::support::{dense, options};
    use proc_macro2::{Span, TokenStream};
    use quote::quote;
    use syn::parse_quote;

    #[test]
    fn predicates_are_asked_in_their_order() {
        let private = quote!(::circuit_runtime::__private);
        for (list, predicates) in [
            (
                quote!(failure_if = |error| error.is_outage()),
                quote!(.failure_if(|error| error.is_outage())),
            ),
            (
                quote!(
                    failure_if = E::is_outage,
                    reset = RESET,
                    ignore_if = (is_ours)
                ),
                quote!(.ignore_if(is_ours).failure_if(E::is_outage)),
            ),
            (
                quote!(
                    failure_if = is_outage,
                    retry_after = |error| error.wait,
                    ignore_if = is_ours
                ),
                quote!(.ignore_if(is_ours).retry_after(|error| error.wait).failure_if(is_outage)),
            ),
        ] {
            let found = classifier(
                &options(list),
                Conversion::From,
                &TokenStream::new(),
                &parse_quote!(Result<u8, E>),
                Span::call_site(),
            );
            let expected = quote! {
                |__circuit_result| {
                    #private::classifier::<Result<u8, E>>()(__circuit_result)
                        #predicates
                        .verdict()
                }
            };
            assert_eq!(dense(&found), dense(&expected));
        }
    }

    #[test]
    fn classify_decides_alone() {
        let private = quote!(::circuit_runtime::__private);
        for (conversion, begin) in [
            (Conversion::From, quote!(classifier)),
            (Conversion::Unneeded, quote!(any_classifier)),
        ] {
            let found = classifier(
                &options(quote!(classify = |result| verdict(result))),
                conversion,
                &TokenStream::new(),
                &parse_quote!(Result<u8, E>),
                Span::call_site(),
            );
            let expected = quote! {
                |__circuit_result| {
                    #private::#begin::<Result<u8, E>>()(__circuit_result)
                        .classify(|result| verdict(result))
                }
            };
            assert_eq!(dense(&found), dense(&expected));
        }
    }
}
