//! The arguments that a body takes, as far as raw tokens show it.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::body::{is_member, mentions};

/// Returns whether the first mention of a variable in a body takes all of it: a method is called on
/// it, or it is passed to a function. Other mentions, as in a pattern, are not recognized.
pub(super) fn takes(body: &TokenStream, name: &str) -> bool {
    first_use(body, name, Place::Block) == Some(true)
}

/// The tokens around others.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// The braces of a block.
    Block,
    /// The parentheses of a call.
    Arguments,
    Other,
}

/// Returns whether the first mention takes all of the variable; nothing if there is none.
fn first_use(tokens: &TokenStream, name: &str, place: Place) -> Option<bool> {
    let all: Vec<_> = tokens.clone().into_iter().collect();
    all.iter().enumerate().find_map(|(index, token)| {
        if !mentions(&token.clone().into(), name) {
            return None;
        }
        match token {
            TokenTree::Ident(_) if is_member(&all, index) => None,
            TokenTree::Ident(_) => Some(is_taken(&all, index, place)),
            // A macro may do anything with its tokens.
            TokenTree::Group(_) if follows(&all, index, '!') => Some(false),
            TokenTree::Group(group) => first_use(
                &group.stream(),
                name,
                inside(&all, index, group.delimiter(), place),
            ),
            TokenTree::Punct(_) | TokenTree::Literal(_) => Some(false),
        }
    })
}

/// Returns whether the token at `index` follows a mark.
fn follows(tokens: &[TokenTree], index: usize, mark: char) -> bool {
    let last = index.checked_sub(1).and_then(|last| tokens.get(last));
    matches!(last, Some(TokenTree::Punct(punct)) if punct.as_char() == mark)
}

/// Returns whether the variable at `index` is the receiver of a method, or a whole argument.
fn is_taken(tokens: &[TokenTree], index: usize, place: Place) -> bool {
    let after = tokens.get(index + 1..).unwrap_or_default();
    if let [
        TokenTree::Punct(dot),
        TokenTree::Ident(_),
        TokenTree::Group(arguments),
        ..,
    ] = after
    {
        return dot.as_char() == '.' && arguments.delimiter() == Delimiter::Parenthesis;
    }
    let is = |token: &TokenTree, mark| matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark);
    let before = tokens.get(..index).and_then(<[_]>::last);
    place == Place::Arguments
        && before.is_none_or(|token| is(token, ',') || is(token, '&'))
        && after.first().is_none_or(|token| is(token, ','))
}

/// Returns the place inside of the group at `index`.
fn inside(tokens: &[TokenTree], index: usize, delimiter: Delimiter, place: Place) -> Place {
    let Some(TokenTree::Ident(function)) = index.checked_sub(1).and_then(|last| tokens.get(last))
    else {
        return match delimiter {
            Delimiter::Brace => Place::Block,
            _ => Place::Other,
        };
    };
    // By its case, `Ok(..)` may be a pattern, unless it is the value of a block.
    let is_function = function.to_string().starts_with(char::is_lowercase);
    let is_value = place == Place::Block && index + 1 == tokens.len();
    match delimiter {
        Delimiter::Brace => Place::Block,
        Delimiter::Parenthesis if is_function || is_value => Place::Arguments,
        _ => Place::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::takes;
    use quote::quote;

    #[test]
    fn a_first_mention_takes_a_variable_or_may_be_something_else() {
        for (body, expected) in [
            (quote!(Ok(name)), true),
            (quote!(Ok(name.len())), true),
            (quote!(send(&name).await?; Ok(())), true),
            (quote!(client.send(1, name).await), true),
            (
                quote!(if ready {
                    name.push('!');
                }),
                true,
            ),
            (
                quote!(let Some(name) = other else { return Ok(1) }; Ok(name)),
                false,
            ),
            (
                quote!(match other {
                    Ok(name) => Ok(name),
                    error => error,
                }),
                false,
            ),
            (quote!(let name = 1; Ok(name)), false),
            (quote!(items.map(|name| name.len())), false),
            (quote!(items.fold(0, |sum, name| sum + name.len())), false),
            (quote!(fn inner(name: u8) {}, Ok(1)), false),
            (quote!(Ok(name.id)), false),
            (quote!(Ok(Order { name: 1 })), false),
            (quote!(println!("{}", name)), false),
            (quote!(log!(name.level 1)), false),
            (quote!(query!(count(name))), false),
            (quote!(Ok(format!("{name}"))), false),
            (quote!(Ok(other.name)), false),
            (quote!(Ok(1)), false),
        ] {
            assert_eq!(takes(&body, "name"), expected, "{body}");
        }
    }
}
