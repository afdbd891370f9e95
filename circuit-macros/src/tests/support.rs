//! Support for the tests of several modules.

use proc_macro2::TokenStream;

use crate::errors::Errors;
use crate::options::Options;

/// Returns the options of a list in which all are valid.
pub(crate) fn options(list: TokenStream) -> Options {
    let mut errors = Errors::default();
    let options = Options::parse(list, &mut errors);
    assert_eq!(errors.messages(), [""; 0]);
    options
}

/// Returns the tokens without spaces, as `>>` may be one token or two.
pub(crate) fn dense(tokens: &TokenStream) -> String {
    tokens.to_string().replace(' ', "")
}
