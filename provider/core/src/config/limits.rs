//! Ranges and formats of single values. Each check answers the value, or what is wrong with it in a sentence.

use std::time::Duration;

use eventual_schema::ServiceName;

/// Retentions that CloudWatch Logs accepts, in days.
pub(super) const LOG_RETENTION_DAYS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];
/// Bytes of all names and values of a function's environment.
pub(super) const ENVIRONMENT_MAX_BYTES: usize = 4096;
/// Tags that the user may give; AWS takes 50, of which some are ours.
pub(super) const TAGS_MAX: usize = 40;

/// A whole number from `low` to `high`.
pub(super) fn whole(number: f64, low: u32, high: u32, unit: &str) -> Result<u32, String> {
    let fits = number.fract() == 0.0 && number >= f64::from(low) && number <= f64::from(high);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the line above made sure that it fits"
    )]
    if fits {
        Ok(number as u32)
    } else {
        Err(format!("{number} is not a whole number from {low} to {high}{unit}."))
    }
}

pub(super) fn memory(number: f64) -> Result<u32, String> {
    whole(number, 128, 10_240, " (MB)")
}

pub(super) fn timeout(number: f64) -> Result<u32, String> {
    whole(number, 1, 900, " (seconds)")
}

/// `resume` is true.
pub(super) fn on_create_failure(text: &str) -> Result<bool, String> {
    match text {
        "resume" => Ok(true),
        "rollback" => Ok(false),
        other => Err(format!("{other:?} is neither \"resume\" nor \"rollback\".")),
    }
}

pub(super) fn concurrency(number: f64) -> Result<u32, String> {
    whole(number, 0, 1_000_000, "")
}

pub(super) fn retention(number: f64) -> Result<u32, String> {
    whole(number, 1, 3653, " (days)")
}

pub(super) fn max_age(number: f64) -> Result<u32, String> {
    whole(number, 0, 86_400, " (seconds)")
}

pub(super) fn log_retention(number: f64) -> Result<u32, String> {
    LOG_RETENTION_DAYS.into_iter().find(|days| f64::from(*days) == number).ok_or_else(|| {
        let allowed: Vec<String> = LOG_RETENTION_DAYS.iter().map(ToString::to_string).collect();
        format!("CloudWatch Logs cannot keep logs for {number} days, only for {}.", allowed.join(", "))
    })
}

pub(super) fn service_name(text: &str) -> Result<ServiceName, String> {
    ServiceName::new(text).map_err(|error| format!("{error}."))
}

pub(super) fn not_empty(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("An empty text is not possible here.".to_owned()) } else { Ok(text.to_owned()) }
}

/// `1h30m`, `90s`, `500ms`: numbers with `h`, `m`, `s` or `ms`, added; more than nothing and at most a day.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not a duration such as \"90s\", \"10m\" or \"1h30m\", up to a day.");
    let mut rest = text.trim();
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let unit =
            rest[digits..].len() - rest[digits..].trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let count: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        let milliseconds = match &rest[digits..digits + unit] {
            "h" => 3_600_000,
            "m" => 60_000,
            "s" => 1000,
            "ms" => 1,
            _ => return Err(wrong()),
        };
        total = count.checked_mul(milliseconds).and_then(|it| it.checked_add(total)).ok_or_else(wrong)?;
        rest = &rest[digits + unit..];
    }
    if total == 0 || total > 24 * 3_600_000 { Err(wrong()) } else { Ok(Duration::from_millis(total)) }
}

/// The name of an environment variable that a function may have.
pub(super) fn variable_name(name: &str) -> Result<(), String> {
    let rest = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || name.len() < 2 || !name.chars().all(rest) {
        return Err(format!(
            "{name:?} cannot name an environment variable of a function: a letter, then letters, digits and \
             underscores, two characters at least."
        ));
    }
    let reserved = ["AWS_", "LAMBDA_", "EVENTUAL_"]
        .into_iter()
        .find(|prefix| name.to_ascii_uppercase().starts_with(prefix));
    match reserved {
        Some(prefix) => {
            Err(format!("{name:?} is reserved: functions get their own variables that start with {prefix}."))
        }
        None if name.starts_with("_") => Err(format!("{name:?} is reserved.")),
        None => Ok(()),
    }
}

/// The key of a tag.
pub(super) fn tag_key(key: &str) -> Result<(), String> {
    let lower = key.to_ascii_lowercase();
    if key.is_empty() || key.chars().count() > 128 {
        Err("The key of a tag has 1 to 128 characters.".to_owned())
    } else if lower.starts_with("aws:") || lower.starts_with("eventual:") {
        Err(format!("{key:?} is reserved: keys of tags do not start with \"aws:\" or \"eventual:\"."))
    } else {
        tag_characters(key)
    }
}

/// The value of a tag.
pub(super) fn tag_value(value: &str) -> Result<String, String> {
    if value.chars().count() > 256 {
        return Err("The value of a tag has at most 256 characters.".to_owned());
    }
    tag_characters(value).map(|()| value.to_owned())
}

fn tag_characters(text: &str) -> Result<(), String> {
    match text.chars().find(|c| !(c.is_alphanumeric() || *c == ' ' || "_.:/=+-@".contains(*c))) {
        Some(c) => Err(format!("Tags hold letters, digits, spaces and _ . : / = + - @, not {c:?}.")),
        None => Ok(()),
    }
}
