//! One wrong program for each mistake that a macro explains. The expected texts are those of the pinned compiler;
//! `TRYBUILD=overwrite cargo test -p eventual-runtime --test ui` writes them anew.

#[test]
fn mistakes_are_explained_where_they_are_made() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
