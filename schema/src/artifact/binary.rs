//! What can be read off a service's binary without running it: processor, and kinds and names of its handlers.

use std::collections::BTreeSet;
use std::fmt;

use object::{Architecture, Object, ObjectSection};

use super::ArtifactProblem;
use crate::deploy::{LINK_CRATE, LINK_SECTION, LINK_SERVICE};
use crate::manifest::Manifest;

/// A handler, as it stands in [`LINK_SECTION`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Handler {
    /// `command`, `task`, `subscription` or `workflow`.
    pub kind: String,
    /// Name on the wire.
    pub name: String,
}

impl fmt::Display for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// A service's binary, as far as it can be known without running it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binary {
    /// The processor, by Lambda's name: `x86_64` or `arm64`.
    pub architecture: &'static str,
    /// What the service's crates declare.
    pub own: BTreeSet<Handler>,
    /// What other linked crates declare: of other services, to which this one is a client, and of libraries.
    pub foreign: BTreeSet<Handler>,
}

impl Binary {
    /// Reads an ELF file.
    ///
    /// # Errors
    /// When it is not ELF, for a processor that Lambda does not have, or its section of handlers is damaged.
    pub fn read(bytes: &[u8]) -> Result<Self, ArtifactProblem> {
        let wrong = |reason: &dyn fmt::Display| ArtifactProblem::NotBinary(reason.to_string());
        let elf = object::File::parse(bytes).map_err(|error| wrong(&error))?;
        let architecture = match elf.architecture() {
            Architecture::X86_64 => "x86_64",
            Architecture::Aarch64 => "arm64",
            other => return Err(wrong(&format!("its processor is {other:?}"))),
        };
        let mut texts = Vec::new();
        // A linker may keep input sections apart, so several of one name are possible.
        for section in elf.sections().filter(|it| it.name() == Ok(LINK_SECTION)) {
            texts.extend(pairs(section.data().map_err(|error| wrong(&error))?)?);
        }
        let (own, foreign) = by_owner(texts);
        Ok(Self { architecture, own, foreign })
    }

    /// Whether binary and manifest declare the same.
    ///
    /// # Errors
    /// Names what is on one side only.
    pub fn agrees(&self, manifest: &Manifest) -> Result<(), ArtifactProblem> {
        let declared = declared(manifest);
        let names = |it: &Handler| it.to_string();
        let in_manifest_only: Vec<String> = declared.difference(&self.own).map(names).collect();
        let in_binary_only: Vec<String> = self.own.difference(&declared).map(names).collect();
        if in_manifest_only.is_empty() && in_binary_only.is_empty() {
            return Ok(());
        }
        Err(ArtifactProblem::Handlers { in_manifest_only, in_binary_only })
    }
}

/// Reads `kind NUL name NUL` pairs. Neither is ever empty, so empty texts are what a linker put between two pairs.
fn pairs(section: &[u8]) -> Result<Vec<Handler>, ArtifactProblem> {
    let damaged = || ArtifactProblem::NotBinary(format!("its section {LINK_SECTION} is damaged"));
    let texts: Vec<String> = section
        .split(|byte| *byte == 0)
        .filter(|text| !text.is_empty())
        .map(|text| String::from_utf8(text.to_vec()).map_err(|_| damaged()))
        .collect::<Result<_, _>>()?;
    let (pairs, []) = texts.as_chunks::<2>() else {
        return Err(damaged());
    };
    Ok(pairs.iter().map(|[kind, name]| Handler { kind: kind.clone(), name: name.clone() }).collect())
}

/// Tells what the service's crates declare from what others do. `crate` says whose the pairs after it are, `service` which
/// crates are the service; where nobody says so, everything is the service's.
fn by_owner(pairs: Vec<Handler>) -> (BTreeSet<Handler>, BTreeSet<Handler>) {
    let service: BTreeSet<String> =
        pairs.iter().filter(|it| it.kind == LINK_SERVICE).map(|it| it.name.clone()).collect();
    let (mut own, mut foreign) = (BTreeSet::new(), BTreeSet::new());
    let mut owner: Option<String> = None;
    for pair in pairs {
        match pair.kind.as_str() {
            LINK_SERVICE => {}
            LINK_CRATE => owner = Some(pair.name),
            _ => {
                let ours = service.is_empty() || owner.as_ref().is_none_or(|it| service.contains(it));
                if ours { &mut own } else { &mut foreign }.insert(pair);
            }
        }
    }
    foreign.retain(|it| !own.contains(it));
    (own, foreign)
}

fn declared(manifest: &Manifest) -> BTreeSet<Handler> {
    let commands = manifest.commands.iter().map(|it| ("command", &it.name));
    let tasks = manifest.tasks.iter().map(|it| ("task", &it.name));
    let subscriptions = manifest.subscriptions.iter().map(|it| ("subscription", &it.name));
    let workflows = manifest.workflows.iter().map(|it| ("workflow", &it.name));
    commands
        .chain(tasks)
        .chain(subscriptions)
        .chain(workflows)
        .map(|(kind, name)| Handler { kind: kind.to_owned(), name: name.to_string() })
        .collect()
}
