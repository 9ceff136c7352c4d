//! Whether the C library of Lambda has everything that a binary asks of it. Found late, this is a function that fails
//! at every start with a message of the loader.

use std::collections::BTreeMap;

use object::Endianness;
use object::read::elf::{ElfFile64, FileHeader, Sym};

use super::error::BuildError;

/// A version of glibc, such as 2.34.
type Version = (u32, u32);

/// The glibc of Lambda's `provided.al2023`.
const LAMBDA: Version = (2, 34);
/// How many symbols an error names.
const SHOWN: usize = 3;

/// Fails when `binary` needs a newer glibc than Lambda has, with the symbols that need it.
pub(crate) fn check(binary: &[u8]) -> Result<(), BuildError> {
    // What is no ELF file is refused, with better words, when the artifact is checked.
    verdict(&needed(binary).unwrap_or_default())
}

fn verdict(needed: &BTreeMap<Version, Vec<String>>) -> Result<(), BuildError> {
    let Some((version, symbols)) = needed.last_key_value().filter(|(version, _)| **version > LAMBDA) else {
        return Ok(());
    };
    let shown = symbols[..symbols.len().min(SHOWN)].join(", ");
    Err(BuildError::Glibc { version: format!("{}.{}", version.0, version.1), symbols: shown })
}

/// Versions of glibc that the loader will demand, each with the symbols that are of it.
fn needed(binary: &[u8]) -> object::read::Result<BTreeMap<Version, Vec<String>>> {
    let file = ElfFile64::<Endianness>::parse(binary)?;
    let endian = file.elf_header().endian()?;
    let sections = file.elf_section_table();
    let mut needed: BTreeMap<Version, Vec<String>> = BTreeMap::new();
    if let Some((mut libraries, link)) = sections.gnu_verneed(endian, binary)? {
        let names = sections.strings(endian, binary, link)?;
        while let Some((_, mut versions)) = libraries.next()? {
            while let Some(version) = versions.next()? {
                needed.extend(parse(version.name(endian, names)?).map(|it| (it, Vec::new())));
            }
        }
    }
    let symbols = file.elf_dynamic_symbol_table();
    if let Some(versions) = sections.versions(endian, binary)? {
        for (index, symbol) in symbols.enumerate() {
            let Some(version) = versions.version(versions.version_index(endian, index).index())? else {
                continue;
            };
            let Some(list) = parse(version.name()).and_then(|it| needed.get_mut(&it)) else { continue };
            list.push(String::from_utf8_lossy(symbol.name(endian, symbols.strings())?).into_owned());
        }
    }
    Ok(needed)
}

/// `GLIBC_2.34` as a version; `None` for `GCC_3.0`, `GLIBC_PRIVATE` and other foreign names.
fn parse(name: &[u8]) -> Option<Version> {
    let text = std::str::from_utf8(name).ok()?.strip_prefix("GLIBC_")?;
    let mut parts = text.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers_and_foreign_names_are_none() {
        assert!(parse(b"GLIBC_2.5") < parse(b"GLIBC_2.34") && parse(b"GLIBC_2.2.5") == Some((2, 2)));
        assert_eq!((parse(b"GLIBC_PRIVATE"), parse(b"GCC_3.0")), (None, None));
    }

    #[test]
    fn only_what_is_newer_than_lambda_is_refused_and_its_symbols_named() {
        let symbol = |name: &str| vec![name.to_owned()];
        assert!(verdict(&BTreeMap::from([((2, 2), symbol("read")), ((2, 34), symbol("dlsym"))])).is_ok());
        let text =
            verdict(&BTreeMap::from([((2, 34), symbol("dlsym")), ((2, 38), symbol("__isoc23_strtol"))]));
        let text = text.unwrap_err().to_string();
        assert!(text.starts_with("the binary needs glibc 2.38 (__isoc23_strtol), and Lambda"), "{text}");
        assert!(text.contains("`--zig`"), "{text}");
    }

    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn the_needs_of_this_very_test_are_found_with_their_symbols() {
        let binary = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let needed = needed(&binary).unwrap();
        let symbols: Vec<&String> = needed.values().flatten().collect();
        assert!(symbols.iter().any(|it| it.as_str() == "__libc_start_main"), "{needed:?}");
        assert!(needed.keys().all(|version| *version >= (2, 2)));
    }
}
