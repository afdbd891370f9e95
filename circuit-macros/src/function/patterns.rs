//! The parts of an argument that its pattern moves, and those that it leaves.

use syn::ext::IdentExt;
use syn::{Ident, Pat, PatIdent, Type};

use super::arguments::may_have_destructor;

/// The parts of an argument, as its pattern binds them.
#[derive(Default)]
pub(super) struct Parts<'s> {
    /// The variables of the pattern, each with `true` if it is `mut`.
    pub(super) variables: Vec<(&'s Ident, bool)>,
    /// True if a part that may have a destructor is moved into a variable.
    pub(super) are_moved: bool,
    /// True if a part that may have a destructor stays in the argument.
    pub(super) are_left: bool,
    /// True if the pattern contains something that is not known here, such as a macro.
    pub(super) are_unknown: bool,
}

impl<'s> Parts<'s> {
    /// Returns the parts that a pattern binds. The type is that of the pattern, if it is known.
    pub(super) fn new(pattern: &'s Pat, bound: Option<&Type>) -> Self {
        let mut parts = Self::default();
        parts.visit(pattern, bound);
        parts
    }

    /// Returns whether some code names one of the variables.
    pub(super) fn are_named(&self, is_named: &dyn Fn(&str) -> bool) -> bool {
        let mut variables = self.variables.iter();
        variables.any(|(name, _)| is_named(&name.to_string()))
    }

    fn visit(&mut self, pattern: &'s Pat, bound: Option<&Type>) {
        let has_destructor = bound.is_none_or(may_have_destructor);
        match (pattern, bound) {
            (Pat::Ident(variable), _) => self.visit_variable(variable, has_destructor),
            (Pat::Wild(_) | Pat::Rest(_), _) => self.are_left |= has_destructor,
            (Pat::Paren(inner), _) => self.visit(&inner.pat, bound),
            (Pat::Tuple(tuple), Some(Type::Tuple(types)))
                if tuple.elems.len() == types.elems.len() =>
            {
                for (element, bound) in tuple.elems.iter().zip(&types.elems) {
                    self.visit(element, Some(bound));
                }
            }
            (Pat::Tuple(tuple), _) => self.visit_all(&tuple.elems),
            (Pat::TupleStruct(tuple), _) => self.visit_all(&tuple.elems),
            (Pat::Slice(slice), _) => self.visit_all(&slice.elems),
            (Pat::Struct(fields), _) => {
                self.visit_all(fields.fields.iter().map(|field| &*field.pat));
                self.are_left |= fields.rest.is_some();
            }
            // The path of a struct without fields.
            (Pat::Path(_), _) => self.are_left = true,
            _ => self.are_unknown = true,
        }
    }

    fn visit_all(&mut self, patterns: impl IntoIterator<Item = &'s Pat>) {
        for pattern in patterns {
            self.visit(pattern, None);
        }
    }

    fn visit_variable(&mut self, variable: &'s PatIdent, has_destructor: bool) {
        if is_struct(variable) {
            self.are_left |= has_destructor;
            return;
        }
        let is_mutable = variable.by_ref.is_none() && variable.mutability.is_some();
        self.variables.push((&variable.ident, is_mutable));
        if variable.by_ref.is_some() {
            self.are_left |= has_destructor;
        } else {
            self.are_moved |= has_destructor;
        }
        match &variable.subpat {
            // `rest @ ..`
            Some((_, inner)) if matches!(**inner, Pat::Rest(_)) => {}
            Some((_, inner)) => self.visit(inner, None),
            None => {}
        }
    }
}

/// Returns the variable of a pattern that is just one, by value.
pub(super) fn as_variable(pattern: &Pat) -> Option<&PatIdent> {
    match pattern {
        Pat::Ident(variable)
            if variable.by_ref.is_none() && variable.subpat.is_none() && !is_struct(variable) =>
        {
            Some(variable)
        }
        _ => None,
    }
}

/// Returns whether this is not a variable but, by its case, a struct without fields.
fn is_struct(variable: &PatIdent) -> bool {
    let name = variable.ident.unraw().to_string();
    name.starts_with(char::is_uppercase) && name.contains(char::is_lowercase)
}

#[cfg(test)]
mod tests {
    use super::Parts;
    use syn::parse::Parser;
    use syn::{Pat, Type, parse_quote};

    #[test]
    fn patterns_move_parts_and_leave_others() {
        let tuple: Type = parse_quote!((A, u8, &B));
        let other: Type = parse_quote!(C);
        for (pattern, bound, expected) in [
            ("a", &other, (true, false, false)),
            ("mut a", &other, (true, false, false)),
            ("ref a", &other, (false, true, false)),
            ("_", &other, (false, true, false)),
            ("(a, _, _)", &tuple, (true, false, false)),
            ("(_, b, c)", &tuple, (false, true, false)),
            ("(a, ..)", &tuple, (true, true, false)),
            ("(a, _, _)", &other, (true, true, false)),
            ("(ref a, b, ref c)", &tuple, (false, true, false)),
            ("C(a)", &other, (true, false, false)),
            ("C { a, b }", &other, (true, false, false)),
            ("C { a, b: _ }", &other, (true, true, false)),
            ("C { a, .. }", &other, (true, true, false)),
            ("C { ref a, .. }", &other, (false, true, false)),
            ("C { a: D(_, e), f }", &other, (true, true, false)),
            ("[a, rest @ ..]", &other, (true, false, false)),
            ("[a, ..]", &other, (true, true, false)),
            ("Cc", &other, (false, true, false)),
            ("path::C", &other, (false, true, false)),
            ("(a | a)", &other, (false, false, true)),
            ("c!()", &other, (false, false, true)),
        ] {
            let parsed = Pat::parse_single.parse_str(pattern);
            let parts = parsed.as_ref().ok().map(|parsed| {
                let parts = Parts::new(parsed, Some(bound));
                (parts.are_moved, parts.are_left, parts.are_unknown)
            });
            assert_eq!(parts, Some(expected), "{pattern}");
        }
    }
}
