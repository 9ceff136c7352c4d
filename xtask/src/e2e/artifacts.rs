//! What cannot be an artifact, as users make it by accident: each is a diagnostic that says what is wrong, never a crash.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::stand::Stand;
use crate::failure::{Context, Result, require};

/// Missing, empty, truncated, damaged, foreign, and a folder.
pub(super) fn refused(stand: &Stand<'_>) -> Result<()> {
    let terraform = stand.orders_module("artifacts")?;
    let good = fs::read(stand.site.artifact("orders")?).context("the artifact")?;
    let folder = stand.site.folder("bad-artifacts")?;
    let mut damaged = good.clone();
    let middle = damaged.len() / 2;
    for byte in &mut damaged[middle..middle + 64] {
        *byte = !*byte;
    }
    let foreign = *b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"; // A zip that holds nothing.
    let cases: [(&str, &[u8]); 5] = [
        ("empty.zip", &[]),
        ("truncated.zip", &good[..good.len() / 2]),
        ("damaged.zip", &damaged),
        ("foreign.zip", &foreign),
        ("text.zip", b"this is no zip"),
    ];
    for (name, bytes) in cases {
        fs::write(folder.join(name), bytes).context(name)?;
    }
    let missing = ["missing.zip", "."];
    for name in cases.iter().map(|(name, _)| *name).chain(missing) {
        let path = folder.join(name);
        let mut variables = stand.variables("artifacts")?;
        variables["artifact"] = json!(path);
        terraform.variables(&variables)?;
        let done = terraform.run(&["plan", "-input=false", "-no-color"])?;
        let says = done.all.replace('\n', " ");
        require(done.code() == 1 && says.contains("artifact"), || {
            format!("{name}: exit code {}\n{}", done.code(), done.all)
        })?;
        for crash in ["panicked", "Plugin did not respond", "crashed"] {
            require(!says.contains(crash), || format!("{name}: the provider crashed\n{}", done.all))?;
        }
        require(names(&done.all, &path), || {
            format!("{name}: the diagnostic does not name the file\n{}", done.all)
        })?;
    }
    Ok(())
}

/// Whether the text names the file; Terraform breaks long lines, so only its last part is looked for.
fn names(text: &str, path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    name.is_none_or(|name| text.contains(&name)) || text.contains("bad-artifacts")
}
