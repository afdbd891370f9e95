//! `impl Trait` in a return type, which cannot be named in an expression.

use syn::{
    AngleBracketedGenericArguments, GenericArgument, Path, PathArguments, Type, TypeInfer,
    TypeParamBound,
};

/// Returns the type with `_` in place of each `impl Trait`.
pub(crate) fn inferred(output: &Type) -> Type {
    // Input:
    //     Result<Vec<impl Display>, E>
    //
    // Output:
    //     Result<Vec<_>, E>
    let mut output = output.clone();
    infer(&mut output);
    output
}

fn infer(output: &mut Type) {
    match output {
        Type::ImplTrait(opaque) => {
            *output = Type::Infer(TypeInfer {
                attrs: Vec::new(),
                underscore_token: syn::Token![_](opaque.impl_token.span),
            });
        }
        Type::Array(array) => infer(&mut array.elem),
        Type::Group(group) => infer(&mut group.elem),
        // rustc warns about parentheses around `_`.
        Type::Paren(paren) if matches!(*paren.elem, Type::ImplTrait(_)) => {
            *output = inferred(&paren.elem);
        }
        Type::Paren(paren) => infer(&mut paren.elem),
        Type::Ptr(pointer) => infer(&mut pointer.elem),
        Type::Reference(reference) => infer(&mut reference.elem),
        Type::Slice(slice) => infer(&mut slice.elem),
        Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(infer),
        Type::Path(path) => infer_in_path(&mut path.path),
        Type::TraitObject(object) => {
            for bound in &mut object.bounds {
                if let TypeParamBound::Trait(bound) = bound {
                    infer_in_path(&mut bound.path);
                }
            }
        }
        _ => {}
    }
}

fn infer_in_path(path: &mut Path) {
    for segment in &mut path.segments {
        if let PathArguments::AngleBracketed(AngleBracketedGenericArguments { args, .. }) =
            &mut segment.arguments
        {
            for argument in args {
                match argument {
                    GenericArgument::Type(argument) => infer(argument),
                    GenericArgument::AssocType(binding) => infer(&mut binding.ty),
                    _ => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::inferred;
    use quote::ToTokens;
    use syn::{Type, parse_quote};

    #[test]
    fn opaque_types_are_inferred_at_any_depth() {
        let cases: [(Type, Type); 10] = [
            (parse_quote!(impl Display), parse_quote!(_)),
            (
                parse_quote!(Result<impl Display, E>),
                parse_quote!(Result<_, E>),
            ),
            (
                parse_quote!(std::result::Result<Vec<impl Display + 'a>, E>),
                parse_quote!(std::result::Result<Vec<_>, E>),
            ),
            (
                parse_quote!(Result<(impl A, impl B), E>),
                parse_quote!(Result<(_, _), E>),
            ),
            (
                parse_quote!(Result<[impl A; 2], E>),
                parse_quote!(Result<[_; 2], E>),
            ),
            (
                parse_quote!(Result<&'a mut (impl A), E>),
                parse_quote!(Result<&'a mut _, E>),
            ),
            (
                parse_quote!(Result<Box<dyn Iterator<Item = impl A> + Send>, E>),
                parse_quote!(Result<Box<dyn Iterator<Item = _> + Send>, E>),
            ),
            (
                parse_quote!(Result<impl Iterator<Item = impl A>, impl Error>),
                parse_quote!(Result<_, _>),
            ),
            (
                parse_quote!(Result<<T as Quotes>::Quote, E>),
                parse_quote!(Result<<T as Quotes>::Quote, E>),
            ),
            (
                parse_quote!(Result<[u8; N], fn(&str) -> u8>),
                parse_quote!(Result<[u8; N], fn(&str) -> u8>),
            ),
        ];
        for (written, expected) in cases {
            assert_eq!(
                inferred(&written).into_token_stream().to_string(),
                expected.into_token_stream().to_string()
            );
        }
    }
}
