//! What a function learns from its own artifact instead of from its environment.
//!
//! The hash of the code lies beside the code: were it a variable, every change of code would be a change of every
//! function's configuration too, and a second update.

use std::path::Path;

use eventual_schema::deploy::{MANIFEST_FILE, env};
use serde::Deserialize;

/// Where Lambda unpacked the artifact.
const TASK_ROOT: &str = "LAMBDA_TASK_ROOT";

/// The part of a manifest that is read here.
#[derive(Deserialize)]
struct Packed {
    code: Code,
}

#[derive(Deserialize)]
struct Code {
    sha256: String,
}

/// The value of a variable that the artifact knows; `None` for all others, and when there is no artifact to look at.
pub(crate) fn variable(name: &str) -> Option<String> {
    if name != env::CODE_HASH {
        return None;
    }
    let root = std::env::var_os(TASK_ROOT)?;
    hash(&std::fs::read(Path::new(&root).join(MANIFEST_FILE)).ok()?)
}

fn hash(manifest: &[u8]) -> Option<String> {
    serde_json::from_slice::<Packed>(manifest).ok().map(|packed| packed.code.sha256)
}

#[cfg(test)]
mod tests {
    use super::hash;

    #[test]
    fn the_hash_is_in_the_packed_manifest() {
        let packed = br#"{"format":1,"service":"orders","code":{"sha256":"abc","architecture":"x86_64"},"commands":[{}]}"#;
        assert_eq!(hash(packed).as_deref(), Some("abc"));
        assert_eq!(hash(br#"{"format":1,"service":"orders"}"#), None);
    }
}
