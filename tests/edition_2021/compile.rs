//! The functions of `../pass` in the edition of this package.

#[test]
fn what_is_right_compiles_in_edition_2021() {
    trybuild::TestCases::new().pass("../pass/*.rs");
}
