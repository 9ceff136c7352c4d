//! New code is deployed while an execution is open that is pinned to the old: its messages and questions still reach the old
//! code, and when nobody needs that any more the next deployment puts it away.

use std::fs::{self, File};
use std::io::{Cursor, Read, Write};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::stand::Stand;
use crate::failure::{Context, Failure, Result, require};
use crate::process;
use crate::terraform::Terraform;

/// How soon an execution has gone on.
const SOON: Duration = Duration::from_secs(60);

/// Goes on from a deployment of the conformance service.
pub(super) fn pinned(stand: &Stand<'_>, terraform: &Terraform) -> Result<()> {
    let artifact = stand.site.artifact("conformance")?;
    let first = stand.cloud().bootstrap(artifact)?;
    start(stand, "one")?;
    let second = deploy(stand, terraform, artifact, 2)?;
    let asked = json!({ "op": "query", "execution": "stays/one", "query": "stage" });
    let answered = system(stand, &asked)?;
    require(answered["answer"] == "waits", || format!("the old code does not answer: {answered}"))?;
    start(stand, "two")?;
    let report = system(stand, &json!({ "op": "versions", "workflow": "stays" }))?;
    let open = |code: &str| {
        let versions = report["versions"].as_array().into_iter().flatten();
        let mut versions = versions.filter(|it| it["code"] == code && it["pinned"] == true);
        versions.next().map(|it| it["open"].clone())
    };
    require(open(&first) == Some(json!(1)) && open(&second) == Some(json!(1)), || format!("{report}"))?;
    for name in ["one", "two"] {
        finish(stand, name)?;
    }
    let third = deploy(stand, terraform, artifact, 3)?;
    require(third != second, || "the same code again".into())?;
    let lost = stand.cloud().invoke(&orchestrator(&first), &json!({}));
    let lost = lost.err().map(|it| it.to_string()).unwrap_or_default();
    require(lost.contains("not found") || lost.contains("NotFound"), || {
        format!("code that nobody needs is still there: {lost}")
    })
}

fn orchestrator(code: &str) -> String {
    format!("conformance-orchestrator:code-{}", &code[..16])
}

fn system(stand: &Stand<'_>, request: &Value) -> Result<Value> {
    stand.cloud().invoke("conformance-system:live", request)
}

/// Starts an execution, and waits until its code has been run.
fn start(stand: &Stand<'_>, name: &str) -> Result<()> {
    system(stand, &json!({ "op": "start", "workflow": "stays", "name": name }))?;
    let history = json!({ "op": "history", "execution": format!("stays/{name}") });
    process::wait_for("the execution takes no turn", SOON, || {
        let told = system(stand, &history)?;
        Ok(told["turns"].as_array().filter(|it| !it.is_empty()).map(drop))
    })
}

/// Sends what an execution waits for, and waits for its end.
fn finish(stand: &Stand<'_>, name: &str) -> Result<()> {
    let execution = format!("stays/{name}");
    let item = json!({ "name": name });
    system(stand, &json!({ "op": "signal", "execution": execution, "signal": "Item", "payload": item }))?;
    process::wait_for("the execution does not end", SOON, || {
        let told = system(stand, &json!({ "op": "get", "execution": execution }))?;
        match told["status"].as_str() {
            Some("succeeded") if told["result"] == name => Ok(Some(())),
            Some("running") => Ok(None),
            _ => Err(Failure::new(format!("{execution} is {told}"))),
        }
    })
}

/// Deploys code that differs from `artifact` in its number, and gives its hash.
fn deploy(stand: &Stand<'_>, terraform: &Terraform, artifact: &Path, number: u32) -> Result<String> {
    let other = terraform.folder().join(format!("code-{number}.zip"));
    rebuild(artifact, &other, number)?;
    terraform.variables(&json!({ "artifact": other }))?;
    terraform.apply()?;
    stand.cloud().bootstrap(&other)
}

/// Writes an artifact whose program does the same and is not the same: a byte follows it that nothing reads.
fn rebuild(from: &Path, to: &Path, number: u32) -> Result<()> {
    let text = |what: &str| format!("{what} of {}", from.display());
    let mut archive = ZipArchive::new(File::open(from).context(text("opening"))?).context(text("reading"))?;
    let mut files = Vec::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).context(text("a member"))?;
        let (mut bytes, mode) = (Vec::new(), file.unix_mode().unwrap_or(0o644));
        file.read_to_end(&mut bytes).context(text("a member"))?;
        let name = file.name().context(text("a name"))?.into_owned();
        files.push((name, mode, bytes));
    }
    let hash = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
    let (mut before, mut after) = (String::new(), String::new());
    for (name, _, bytes) in &mut files {
        if name == "bootstrap" {
            before = hash(bytes);
            bytes.extend(number.to_le_bytes());
            after = hash(bytes);
        }
    }
    let mut written = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, mode, bytes) in files {
        let bytes = match name.as_str() {
            "eventual.json" => String::from_utf8_lossy(&bytes).replace(&before, &after).into_bytes(),
            _ => bytes,
        };
        let options = SimpleFileOptions::default().unix_permissions(mode);
        written.start_file(name, options).context("an artifact")?;
        written.write_all(&bytes).context("an artifact")?;
    }
    let bytes = written.finish().context("an artifact")?.into_inner();
    fs::write(to, bytes).context(format!("writing {}", to.display()))
}
