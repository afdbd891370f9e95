//! The body of a function, behind its breaker.

use circuit_options::names::OptionName;
use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned;

use super::breaker::breaker;
use super::classifier::{CALLED, classifier};
use super::conversion::Conversion;
use super::fallback::Fallback;
use super::hint::return_type_hint;
use super::opaque;
use super::or_else::or_else;
use crate::function::Function;
use crate::function::body::mentions;
use crate::function::captures::{Captures, OptionCode};
use crate::options::Options;

/// Returns the function with its body behind the breaker.
pub(crate) fn guarded(mut function: Function, options: &Options) -> TokenStream {
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
    //             |__circuit_result| {
    //                 Classifier(__circuit_result, NotAResult).verdict()
    //             },
    //             |__circuit_error| rejected::<Result<Quote, QuoteError>>(__circuit_error),
    //         )
    //         .await;
    //     }
    //
    // - The inner `return` fixes the type of the block before its body is checked, as the signature
    //   does without the attribute: `?` and coercions work, and a wrong body is one error.
    // - The outer `return` satisfies `clippy::implicit_return`.
    // - `&symbol` makes the block capture its arguments in the order in which it has to drop them;
    //   see `Captures`.
    // - A parameter with the name of a constant of the user's would be a pattern; hence the long
    //   names.
    // - Only `rejected` bounds the return type, so that a wrong one is one error. With predicates,
    //   `classifier` has the same bound at the same span.
    // - A rejected call that has a fallback, and no timeout, leaves no error to convert.
    let span = function.output.span().resolved_at(Span::mixed_site());
    let output = opaque::inferred(&function.output);
    let runtime = options.runtime(span);
    let return_type_hint = return_type_hint(&output, options);
    let code = option_code(options);
    let captures = function.capture(&code, &runtime, span);
    let capture = &captures.body;
    let inner = function.inner_block();

    let breaker = breaker(&function, options, span);
    // A breaker that the user has made may have a timeout, too.
    let timed =
        options.get(OptionName::Timeout).is_some() || options.get(OptionName::Breaker).is_some();
    let fallback = options.code(OptionName::Fallback);
    let conversion = Conversion::new(options, timed);
    let check = |names: &[OptionName]| {
        let codes: Vec<_> = names
            .iter()
            .filter_map(|&name| options.code(name))
            .collect();
        let taken = function.taken_in(&codes).into_iter();
        taken
            .map(|argument| {
                // Output, where the option names an argument that the body takes:
                //     after_body(Taken(symbol));
                let span = argument.span();
                let runtime = options.runtime(span);
                quote_spanned!(span=> #runtime::after_body(#runtime::Taken(#argument));)
            })
            .collect::<TokenStream>()
    };
    let or_else = or_else(
        options,
        conversion,
        &check(&[OptionName::OrElse]),
        &output,
        span,
    );
    let arguments = Arguments {
        body: quote_spanned! {span=>
            async move {
                #return_type_hint
                #capture
                #inner
            }
        },
        classifier: classifier(options, conversion, &check(&CALLED), &output, span),
        conversion,
        rejected: conversion.result(&check(&[OptionName::Error]), &output, &runtime, span),
        return_type_hint,
        is_last: or_else.is_none(),
        captures: &captures,
        timed,
        runtime: &runtime,
        span,
    };
    // Output, for a function that returns the future of a block, if nothing else is to be evaluated
    // or borrowed when that is polled: one block around another would store the arguments twice.
    //     fn quote(symbol: String) -> BoxFuture<'static, Result<Quote, QuoteError>> {
    //         Box::pin(guard({ breaker }, async move { .. }, ..))
    //     }
    let evaluates = timed || fallback.is_some() || or_else.is_some() || !code.evaluated.is_empty();
    if !evaluates
        && captures.function.is_empty()
        && function.returns_future_without(&code.borrowing)
    {
        return function.with_future(&arguments.future(&breaker, &arguments.body));
    }
    let call = match fallback {
        Some(expression) => {
            let fallback = Fallback::new(expression, &output, &captures, options, span);
            arguments.call_or(&fallback, &breaker)
        }
        None if captures.is_rejected_in_block => {
            arguments.call_or(&Fallback::rejected(&arguments.rejected, span), &breaker)
        }
        None => {
            let call = arguments.call(&breaker, &captures.begin(&arguments.body, span));
            arguments.ended(&call)
        }
    };
    let call = match or_else {
        // Output, with `or_else`:
        //     let __circuit_result = guard({ breaker }, async move { .. }, ..).await;
        //     let error = ..
        Some(or_else) if captures.is_rejected_in_block => quote_spanned! {span=>
            let __circuit_result = '__circuit_called: { #call };
            #or_else
        },
        Some(or_else) => quote_spanned!(span=> let __circuit_result = #call; #or_else),
        None => call,
    };
    let capture = &captures.function;
    function.with_body(quote!(#capture #call))
}

/// Returns the code of the options that may name arguments.
fn option_code(options: &Options) -> OptionCode {
    let code = |names| code_of(options, names);
    OptionCode {
        evaluated: code(&[OptionName::Breaker, OptionName::Key]),
        fallback: code(&[OptionName::Fallback]),
        after: code(&[OptionName::OrElse]),
        borrowing: code(&[CALLED.as_slice(), &[OptionName::Error]].concat()),
    }
}

/// Returns the code of these options.
fn code_of(options: &Options, names: &[OptionName]) -> TokenStream {
    let codes = names.iter().filter_map(|&name| options.code(name));
    codes.map(free_code).collect()
}

/// Returns the code of an expression without the names that a closure gives its parameters.
fn free_code(expression: &Expr) -> TokenStream {
    // Input:
    //     |error| error.is_outage() && market.is_open()
    //
    // Output:
    //     . is_outage () && market . is_open ()
    let Expr::Closure(closure) = expression else {
        return expression.to_token_stream();
    };
    let parameters = closure.inputs.to_token_stream();
    without(closure.body.to_token_stream(), &|name| {
        mentions(&parameters, name)
    })
}

/// Leaves out the identifiers of these names.
fn without(tokens: TokenStream, is_left_out: &dyn Fn(&str) -> bool) -> TokenStream {
    let tokens = tokens.into_iter().filter_map(|token| match token {
        TokenTree::Ident(name) if is_left_out(&name.to_string()) => None,
        TokenTree::Group(group) => {
            let inner = without(group.stream(), is_left_out);
            Some(TokenTree::Group(Group::new(group.delimiter(), inner)))
        }
        other => Some(other),
    });
    tokens.collect()
}

/// The arguments of `guard`, except for the admission.
struct Arguments<'e> {
    body: TokenStream,
    classifier: TokenStream,
    conversion: Conversion<'e>,
    /// The result made of `__circuit_error`.
    rejected: TokenStream,
    return_type_hint: TokenStream,
    /// True if the result of the call is that of the function.
    is_last: bool,
    captures: &'e Captures,
    timed: bool,
    runtime: &'e TokenStream,
    span: Span,
}

impl Arguments<'_> {
    /// Returns the call of `guard`, or of `guard_timed`, and its result.
    fn call(&self, admission: &TokenStream, body: &TokenStream) -> TokenStream {
        // Output:
        //     guard({ breaker }, async move { .. }, |..| .., |..| ..).await
        //
        // Output, with a timeout:
        //     match guard_timed({ breaker }, async move { .. }, |..| ..).await {
        //         Ok(__circuit_result) => __circuit_result,
        //         Err(__circuit_error) => rejected::<Result<Quote, QuoteError>>(__circuit_error),
        //     }
        //
        // Output, in place of a fallback:
        //     guard_admitted(__circuit_admitted, __circuit_body, |..| ..).await
        //
        // The body has started by then. It must be dropped before the error is converted: the
        // conversion, which is the user's code, may need something that the body holds, such as a
        // lock.
        let Self {
            rejected,
            timed,
            span,
            ..
        } = self;
        let future = self.future(admission, body);
        if *timed {
            return quote_spanned! {*span=>
                match #future.await {
                    ::core::result::Result::Ok(__circuit_result) => __circuit_result,
                    ::core::result::Result::Err(__circuit_error) => #rejected,
                }
            };
        }
        quote_spanned!(*span=> #future.await)
    }

    /// Returns the future of a call.
    fn future(&self, admission: &TokenStream, body: &TokenStream) -> TokenStream {
        let Self {
            classifier,
            conversion,
            rejected,
            timed,
            runtime,
            span,
            ..
        } = self;
        if *timed {
            return quote_spanned! {*span=>
                #runtime::guard_timed(#admission, #body, #classifier)
            };
        }
        if matches!(conversion, Conversion::Unneeded) {
            return quote_spanned! {*span=>
                #runtime::guard_admitted(#admission, #body, #classifier)
            };
        }
        let on_rejection = conversion.closure(rejected, *span);
        quote_spanned! {*span=>
            #runtime::guard(#admission, #body, #classifier, #on_rejection)
        }
    }

    /// Returns what ends a call with a result, from anywhere in it.
    fn exit(&self) -> TokenStream {
        if self.is_last {
            quote_spanned!(self.span=> return)
        } else {
            quote_spanned!(self.span=> break '__circuit_called)
        }
    }

    /// Returns the end of a call, with its result.
    fn ended(&self, result: &TokenStream) -> TokenStream {
        if self.is_last {
            quote_spanned!(self.span=> return #result;)
        } else {
            result.clone()
        }
    }

    /// Builds the body, or the fallback, once the circuit has answered, so that both can move the
    /// arguments.
    fn call_or(&self, fallback: &Fallback, breaker: &TokenStream) -> TokenStream {
        // Input:
        //     fallback = |error| cached(symbol, error).await
        //
        // Output:
        //     let __circuit_fallback = '__circuit_rejected: {
        //         let (__circuit_admitted, __circuit_body) = match admit(
        //             { breaker },
        //             move |__circuit_admitted| match __circuit_admitted {
        //                 Ok(__circuit_admitted) => {
        //                     Choice::Body(__circuit_admitted, async move { .. })
        //                 }
        //                 Err(__circuit_error) => {
        //                     let error = identity(__circuit_error);
        //                     Choice::Fallback(async move {
        //                         if false {
        //                             return never::<Result<Quote, QuoteError>>();
        //                         }
        //                         let _ = &symbol;
        //                         { cached(symbol, error).await }
        //                     })
        //                 }
        //             },
        //         )
        //         .await
        //         {
        //             Choice::Body(__circuit_admitted, __circuit_body) => {
        //                 (__circuit_admitted, __circuit_body)
        //             }
        //             Choice::Fallback(__circuit_fallback) => {
        //                 break '__circuit_rejected __circuit_fallback;
        //             }
        //         };
        //         return guard(__circuit_admitted, __circuit_body, ..).await;
        //     };
        //     return __circuit_fallback.await;
        //
        // - The closure is not called, only its body is used: an `.await`, a `?` and a `return` in
        //   it are those of the block.
        // - Body and fallback are two blocks that both take the arguments from the outer closure,
        //   and only one of the three is stored at a time. If the function itself held the
        //   arguments while it awaits the admission, it would store them once more.
        // - The `break` ends the `match` before the fallback is awaited: around it, the result of
        //   `admit` would be stored, too.
        // - Without `identity`, clippy would complain that a `let _error` has no effect.
        let Self {
            body,
            return_type_hint,
            captures,
            runtime,
            span,
            ..
        } = self;
        let Fallback {
            pattern,
            before,
            value,
        } = fallback;
        let exit = self.exit();
        let Captures {
            fallback: capture,
            fallback_bindings: bind,
            ..
        } = captures;
        let guarded = self.call(
            &quote_spanned!(*span=> __circuit_admitted),
            &quote_spanned!(*span=> __circuit_body),
        );
        let block = quote_spanned! {*span=>
            async move {
                #return_type_hint
                #capture
                #bind
                #before
                #value
            }
        };
        if captures.are_lent {
            // Output, where a predicate borrows an argument: the closure above would take it.
            //     let error = '__circuit_rejected: {
            //         let __circuit_admitted = match admit({ breaker }, identity).await {
            //             Ok(__circuit_admitted) => __circuit_admitted,
            //             Err(__circuit_error) => break '__circuit_rejected __circuit_error,
            //         };
            //         return guard(__circuit_admitted, async move { .. }, ..).await;
            //     };
            //     return async move { .. }.await;
            let body = captures.begin(body, *span);
            let block = captures.begin(&block, *span);
            let guarded = self.call(&quote_spanned!(*span=> __circuit_admitted), &body);
            let last = self.ended(&quote_spanned!(*span=> #block.await));
            return quote_spanned! {*span=>
                let #pattern = '__circuit_rejected: {
                    let __circuit_admitted =
                        match #runtime::admit(#breaker, ::core::convert::identity).await {
                            ::core::result::Result::Ok(__circuit_admitted) => __circuit_admitted,
                            ::core::result::Result::Err(__circuit_error) => {
                                break '__circuit_rejected __circuit_error;
                            }
                        };
                    #exit #guarded;
                };
                #last
            };
        }
        let admit = quote_spanned! {*span=>
            #runtime::admit(
                #breaker,
                move |__circuit_admitted| match __circuit_admitted {
                    ::core::result::Result::Ok(__circuit_admitted) => {
                        #runtime::Choice::Body(__circuit_admitted, #body)
                    }
                    ::core::result::Result::Err(__circuit_error) => {
                        let #pattern = ::core::convert::identity(__circuit_error);
                        #runtime::Choice::Fallback(#block)
                    }
                },
            )
        };
        let admit = captures.begin(&admit, *span);
        let last = self.ended(&quote_spanned!(*span=> __circuit_fallback.await));
        quote_spanned! {*span=>
            let __circuit_fallback = '__circuit_rejected: {
                let (__circuit_admitted, __circuit_body) = match #admit.await {
                    #runtime::Choice::Body(__circuit_admitted, __circuit_body) => {
                        (__circuit_admitted, __circuit_body)
                    }
                    #runtime::Choice::Fallback(__circuit_fallback) => {
                        break '__circuit_rejected __circuit_fallback;
                    }
                };
                #exit #guarded;
            };
            #last
        }
    }
}
