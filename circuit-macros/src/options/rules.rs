//! Rules across options, checked on literals. Constants are checked by rustc.

use circuit_options::names::OptionName;
use circuit_options::rules::Rule;
use circuit_options::settings::{Setting, Settings};
use proc_macro2::TokenTree;
use syn::{Expr, ExprClosure, Pat};

use super::value::{Value, set};
use super::{Options, Written};
use crate::errors::Errors;

/// The options that belong to the function, and not to its breaker.
const BESIDE_BREAKER: [OptionName; 10] = [
    OptionName::Breaker,
    OptionName::Key,
    OptionName::Fallback,
    OptionName::OrElse,
    OptionName::Error,
    OptionName::FailureIf,
    OptionName::IgnoreIf,
    OptionName::RetryAfter,
    OptionName::Classify,
    OptionName::Crate,
];

/// The methods that read what may change while the program runs: none of them is `const`.
const READING: [&str; 4] = ["load", "lock", "read", "borrow"];

/// The options that decide about errors, which `classify` does, too.
const BESIDE_CLASSIFY: [OptionName; 3] = [
    OptionName::FailureIf,
    OptionName::IgnoreIf,
    OptionName::RetryAfter,
];

/// Reports each option that is invalid beside the others.
pub(crate) fn check(options: &Options, errors: &mut Errors) {
    errors.ok_or_push(check_error(options));
    errors.ok_or_push(check_or_else(options));
    check_predicates(options, errors);
    if options.was_attempted(OptionName::Breaker) {
        let is_of_breaker = |option: &&Written| !BESIDE_BREAKER.contains(&option.name);
        for option in options.iter().filter(is_of_breaker) {
            let message = beside_breaker(option, options.was_attempted(OptionName::Key));
            errors.push(syn::Error::new(option.key.span(), message));
        }
        return;
    }
    let settings = settings(options);
    for option in options.iter() {
        let mut rules = Rule::ALL.iter().copied();
        let broken = rules.find(|rule| {
            rule.option(&settings) == option.name
                && rule.is_broken(&settings)
                && !is_consequence(*rule, options)
        });
        if let Some(rule) = broken {
            let message = message(rule, &settings);
            errors.push(syn::Error::new_spanned(&option.expression, message));
        }
    }
}

/// Reports each rule that is no constant, because it names a variable or reads what may change.
pub(crate) fn check_constants(
    options: &Options,
    is_variable: &dyn Fn(&Expr) -> bool,
    errors: &mut Errors,
) {
    let constants = options
        .iter()
        .filter(|option| matches!(option.value, Value::Constant));
    for option in constants {
        let expression = &option.expression;
        if is_variable(expression) || reads(expression) {
            let instead = if options.was_attempted(OptionName::Key) {
                "make a `CircuitBreakers`, and write `breaker = ..` beside `key`"
            } else {
                "make a `CircuitBreaker`, and write `breaker = ..`"
            };
            let message = format!(
                "a rule is a constant, and this `{}` is known at run time only; {instead}",
                option.name
            );
            errors.push(syn::Error::new_spanned(expression, message));
        }
    }
}

/// Reports each predicate that treats the error, which is no `Result`, as one.
pub(crate) fn check_arguments(options: &Options, errors: &mut Errors) {
    let predicates = BESIDE_CLASSIFY
        .iter()
        .filter_map(|&name| options.written(name));
    for Written {
        name, expression, ..
    } in predicates
    {
        if matches!(expression, Expr::Closure(closure) if sees_result(closure)) {
            let message = format!(
                "`{name}` sees the error of an `Err`, not the result; write `classify = |result| ..`, \
                 which sees an `Ok`, too"
            );
            errors.push(syn::Error::new_spanned(expression, message));
        }
    }
}

/// Returns whether a closure treats its argument as a `Result`: `matches!(result, Ok(..))`,
/// `match result { Ok(..) => .. }` or `result.is_err()`.
fn sees_result(closure: &ExprClosure) -> bool {
    let Some(Pat::Ident(argument)) = closure.inputs.first() else {
        return false;
    };
    let is_argument =
        |written: &Expr| matches!(written, Expr::Path(path) if path.path.is_ident(&argument.ident));
    match &*closure.body {
        Expr::Macro(call) if call.mac.path.is_ident("matches") => {
            let mut tokens = call.mac.tokens.clone().into_iter();
            let is_next = |token: Option<TokenTree>, text: &[&str]| {
                token.is_some_and(|token| text.contains(&&*token.to_string()))
            };
            is_next(tokens.next(), &[&argument.ident.to_string()])
                && is_next(tokens.next(), &[","])
                && is_next(tokens.next(), &["Ok", "Err"])
        }
        Expr::Match(choice) => {
            is_argument(&choice.expr)
                && choice.arms.iter().any(|arm| match &arm.pat {
                    Pat::TupleStruct(variant) => {
                        variant.path.is_ident("Ok") || variant.path.is_ident("Err")
                    }
                    _ => false,
                })
        }
        Expr::MethodCall(call) => {
            is_argument(&call.receiver) && (call.method == "is_err" || call.method == "is_ok")
        }
        _ => false,
    }
}

/// Returns whether this reads an atomic number, a lock or the like, or awaits a future.
fn reads(expression: &Expr) -> bool {
    match expression {
        Expr::Await(_) => true,
        Expr::MethodCall(call) => {
            READING.iter().any(|reading| call.method == reading) || reads(&call.receiver)
        }
        Expr::Binary(binary) => reads(&binary.left) || reads(&binary.right),
        Expr::Cast(cast) => reads(&cast.expr),
        Expr::Field(field) => reads(&field.base),
        Expr::Paren(paren) => reads(&paren.expr),
        Expr::Unary(unary) => reads(&unary.expr),
        Expr::Try(tried) => reads(&tried.expr),
        _ => false,
    }
}

/// Rejects an `error` that would never be asked for one.
fn check_error(options: &Options) -> syn::Result<()> {
    let is_asked = !options.was_attempted(OptionName::Fallback)
        || options.was_attempted(OptionName::Timeout)
        || options.was_attempted(OptionName::Breaker);
    match options.written(OptionName::Error) {
        Some(option) if !is_asked => Err(syn::Error::new(
            option.key.span(),
            "`error` is never called, as `fallback` takes every rejection and there is no \
             `timeout`; remove it",
        )),
        _ => Ok(()),
    }
}

/// Rejects an `or_else` beside a `fallback`.
fn check_or_else(options: &Options) -> syn::Result<()> {
    match options.written(OptionName::OrElse) {
        Some(option) if options.was_attempted(OptionName::Fallback) => Err(syn::Error::new(
            option.key.span(),
            "`or_else` does not go with `fallback`; remove one: `or_else` takes a rejection, too",
        )),
        _ => Ok(()),
    }
}

/// Rejects predicates beside `classify`.
fn check_predicates(options: &Options, errors: &mut Errors) {
    if !options.was_attempted(OptionName::Classify) {
        return;
    }
    let is_excluded = |option: &&Written| BESIDE_CLASSIFY.contains(&option.name);
    for option in options.iter().filter(is_excluded) {
        let message = format!(
            "`{}` does not go with `classify`, which decides about errors, too; remove one",
            option.name
        );
        errors.push(syn::Error::new(option.key.span(), message));
    }
}

/// Collects the values of the options. Those of constants and of invalid options are unknown.
fn settings(options: &Options) -> Settings {
    let mut settings = Settings::NONE;
    for name in options.attempted() {
        set(&mut settings, name, options.get(name));
    }
    settings
}

/// Returns whether a rule is broken only because of a mistake that is reported elsewhere.
fn is_consequence(rule: Rule, options: &Options) -> bool {
    match rule {
        // Two rates that miss the same window are one mistake.
        Rule::SlowCallWithoutWindow => options.get(OptionName::FailureRate).is_some(),
        // These two belong to a rate: the default of `max_failures` was not meant.
        Rule::MaxFailuresAboveLastCalls => {
            !options.was_attempted(OptionName::MaxFailures)
                && (options.was_attempted(OptionName::SlowRate)
                    || options.was_attempted(OptionName::MinCalls))
        }
        _ => false,
    }
}

/// Returns the message of a broken rule, with the numbers if both are written.
fn message(rule: Rule, settings: &Settings) -> String {
    match (rule, settings.max_failures, settings.last_calls) {
        (Rule::MaxFailuresAboveLastCalls, Setting::Known(failures), Setting::Known(calls)) => {
            Rule::failures_above_calls(failures, calls)
        }
        _ => rule.message().to_owned(),
    }
}

/// Returns the message for an option that excludes `breaker`.
fn beside_breaker(option: &Written, has_key: bool) -> String {
    let name = option.name;
    let setting = match (name, &option.value) {
        (OptionName::MaxKeys, _) => "CircuitBreakers::new(name, config).max_keys(..)".to_owned(),
        (OptionName::Name, _) if has_key => "CircuitBreakers::new(name, config)".to_owned(),
        (OptionName::Name, _) => "CircuitBreaker::new(name, config)".to_owned(),
        (OptionName::Window, Value::Count(_)) => "Config::builder().last_calls(..)".to_owned(),
        _ => format!("Config::builder().{name}(..)"),
    };
    format!("`{name}` does not go with `breaker`; write `{setting}` where that is made")
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::errors::Errors;
    use crate::options::Options;
    use proc_macro2::TokenStream;
    use quote::quote;

    /// Returns the first words of each error.
    fn mistakes(list: TokenStream) -> Vec<String> {
        let mut errors = Errors::default();
        check(&Options::parse(list, &mut errors), &mut errors);
        let messages = errors.messages().into_iter();
        messages
            .map(|message| message.chars().take(24).collect())
            .collect()
    }

    #[test]
    fn each_rule_can_be_broken() {
        for (list, broken) in [
            (
                quote!(max_failures = 9, window = 8),
                "`max_failures` must not ",
            ),
            (quote!(window = 4), "`max_failures`, which is"),
            (quote!(failure_rate = RATE), "`failure_rate` needs a `"),
            (quote!(slow_call = "1s"), "`slow_call` needs a `win"),
            (quote!(slow_rate = 1), "`slow_rate` needs `slow_"),
            (
                quote!(window = "1m", slow_call = "2s", timeout = "2s"),
                "`slow_call` must be shor",
            ),
            (quote!(min_calls = LIMIT), "`min_calls` needs a rate"),
            (
                quote!(min_calls = 9, window = 8, failure_rate = 1),
                "`min_calls` must not be ",
            ),
            (quote!(max_reset = "29s"), "`max_reset` must not be "),
            (
                quote!(max_reset = "1m", reset = "61s"),
                "`max_reset` must not be ",
            ),
            (quote!(max_keys = 7), "`max_keys` needs a `key`"),
            (
                quote!(breaker = self.breaker, slow_rate = 0.5),
                "`slow_rate` does not go ",
            ),
            (
                quote!(key = host, max_keys = 7, breaker = BREAKERS),
                "`max_keys` does not go w",
            ),
        ] {
            assert_eq!(mistakes(list.clone()), [broken], "{list}");
        }
    }

    #[test]
    fn options_that_go_together_break_no_rule() {
        for list in [
            quote!(max_failures = 8, window = 8),
            quote!(window = 5),
            quote!(window = 1, failure_rate = 1),
            quote!(window = 1, slow_call = "1s"),
            quote!(window = 8, failure_rate = 1, min_calls = 8),
            quote!(window = LIMIT, max_failures = 9),
            quote!(
                window = "1s",
                max_failures = 9,
                slow_call = "1s",
                min_calls = 9
            ),
            quote!(window = "1m", slow_call = "2s", timeout = "2001ms"),
            quote!(window = "1m", slow_call = "2s", timeout = TIMEOUT),
            quote!(
                window = "1m",
                slow_call = "2s",
                timeout = "2s",
                failure_rate = 1
            ),
            quote!(max_reset = "30s"),
            quote!(max_reset = "1s", reset = RESET),
            quote!(max_keys = LIMIT, key = host),
            quote!(breaker = self.upstreams, key = host),
            quote!(
                breaker = BREAKER,
                fallback = Ok(7),
                failure_if = is_outage,
                ignore_if = is_ours,
                crate = ::renamed
            ),
        ] {
            assert_eq!(mistakes(list.clone()), [""; 0], "{list}");
        }
    }

    #[test]
    fn an_option_that_is_invalid_by_itself_breaks_no_other_rule() {
        for list in [
            quote!(window = "10x", failure_rate = 0.5),
            quote!(windwo = "10s", failure_rate = 0.5),
            quote!(failure_rate = 0.5 window 100),
            quote!(window = 3, max_failures = 0),
            quote!(window = 3, slow_rate = 0.5),
            quote!(max_reset = "10s", reset = "0s"),
        ] {
            assert_eq!(mistakes(list.clone()).len(), 1, "{list}");
        }
    }
}
