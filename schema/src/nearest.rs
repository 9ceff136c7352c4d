//! "Did you mean": the known name that is nearest to a misspelt one.

/// The member of `known` that is most like `given`, or `None` when nothing is near enough to suggest.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = given.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= 1 + name.len().max(given.len()) / 4)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn suggests_the_nearest_and_nothing_absurd() {
        let known = ["placeOrder", "getOrder", "shipOrder"];
        assert_eq!(nearest("plceOrder", known), Some("placeOrder"));
        assert_eq!(nearest("place_order", known), Some("placeOrder"));
        assert_eq!(nearest("somethingElse", known), None);
    }
}
