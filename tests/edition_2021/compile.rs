//! The functions of `../pass`, in edition 2021.

#[test]
fn valid_functions_compile_in_edition_2021() {
    trybuild::TestCases::new().pass("../pass/*.rs");
}
