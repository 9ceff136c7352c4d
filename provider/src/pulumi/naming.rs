//! The name of a service for which the program gives none: Pulumi's autonaming.
//!
//! A service keeps the name that it has, whatever the settings say by now: another name would be another service.

use eventual_provider_core::diagnostic::Diagnostic;
use eventual_provider_core::path::Path;
use eventual_provider_wire::pulumirpc::check_request::AutonamingOptions;
use eventual_provider_wire::pulumirpc::check_request::autonaming_options::Mode;
use eventual_schema::digest::sha256_hex;
use eventual_schema::name::SERVICE_NAME_MAX;

use super::property::{Members, Property};

const NAME: &str = "name";
/// Hexadecimal digits after a name that was made up, so that two stacks can have the same program.
const RANDOM: usize = 7;

/// What a name is made of.
pub(crate) struct Sources<'a> {
    /// Name of the resource in the program.
    pub(crate) logical: &'a str,
    /// Inputs of the last deployment.
    pub(crate) olds: &'a Members,
    /// Random bytes of the engine; empty for engines that send none.
    pub(crate) seed: &'a [u8],
    /// What the user configured about names.
    pub(crate) options: Option<&'a AutonamingOptions>,
}

/// Gives the inputs a name when they have none.
///
/// # Errors
/// When no name may be made up.
pub(crate) fn complete(news: &mut Members, sources: &Sources<'_>) -> Result<(), Diagnostic> {
    if news.get(NAME).is_some_and(|it| *it != Property::Null) {
        return Ok(());
    }
    let name = match (sources.olds.get(NAME), sources.options) {
        (Some(old), _) if old.as_str().is_some() => old.clone(),
        (_, Some(options)) => Property::String(proposed(options)?),
        (_, None) => Property::String(random(sources.logical, sources.seed)),
    };
    news.insert(NAME.to_owned(), name);
    Ok(())
}

fn proposed(options: &AutonamingOptions) -> Result<String, Diagnostic> {
    match options.mode() {
        Mode::Disable => {
            let detail = "autonaming is disabled for this resource, so it has to be given";
            Err(Diagnostic::error("No name", detail).at(Path::of(NAME)))
        }
        Mode::Enforce => Ok(options.proposed_name.clone()),
        Mode::Propose => Ok(fitting(&options.proposed_name, SERVICE_NAME_MAX)),
    }
}

fn random(logical: &str, seed: &[u8]) -> String {
    let digits = sha256_hex(&[seed, logical.as_bytes()].concat());
    format!("{}-{}", fitting(logical, SERVICE_NAME_MAX - RANDOM - 1), &digits[..RANDOM])
}

/// The text as the name of a service, of at most `longest` characters.
fn fitting(text: &str, longest: usize) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = text.chars().map(plain).collect();
    let name = name.trim_start_matches(|c: char| !c.is_ascii_lowercase());
    let name = if name.is_empty() { "service" } else { name };
    name.chars().take(longest).collect::<String>().trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use eventual_schema::ServiceName;

    use super::*;

    fn named(
        olds: &[(&str, &str)],
        logical: &str,
        options: Option<(&str, Mode)>,
    ) -> Result<String, Diagnostic> {
        let text = |text: &str| Property::String(text.to_owned());
        let olds: Members = olds.iter().map(|(key, it)| ((*key).to_owned(), text(it))).collect();
        let options = options
            .map(|(name, mode)| AutonamingOptions { proposed_name: name.to_owned(), mode: mode.into() });
        let mut news = Members::new();
        complete(&mut news, &Sources { logical, olds: &olds, seed: &[7; 32], options: options.as_ref() })?;
        Ok(news["name"].as_str().unwrap().to_owned())
    }

    #[test]
    fn a_name_is_made_up_once_and_kept() {
        let first = named(&[], "Orders_API", None).unwrap();
        assert!(first.starts_with("orders-api-") && first.len() == 18, "{first}");
        assert_eq!(named(&[("name", "sales")], "Orders_API", Some(("x", Mode::Disable))).unwrap(), "sales");
    }

    #[test]
    fn the_settings_of_the_user_decide() {
        assert_eq!(named(&[], "a", Some(("dev-Orders", Mode::Propose))).unwrap(), "dev-orders");
        assert_eq!(named(&[], "a", Some(("dev-Orders", Mode::Enforce))).unwrap(), "dev-Orders");
        assert!(named(&[], "a", Some(("", Mode::Disable))).unwrap_err().detail.contains("disabled"));
    }

    #[test]
    fn what_is_made_up_is_a_name() {
        for logical in ["", "123", "-", "é", "A", &"x".repeat(90), "a-b-c-d-e-f-g-h-i-j-k-l-m-n"] {
            let name = named(&[], logical, None).unwrap();
            assert!(ServiceName::new(&name).is_ok(), "{logical:?} became {name:?}");
        }
    }
}
