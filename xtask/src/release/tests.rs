//! What is packed: the same twice, whole, and installed by the real Terraform.

use std::process::Command;

use super::*;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn release() -> Vec<(String, Vec<u8>)> {
    // Longer than a block of tar and no multiple of one.
    let binary: Vec<u8> = (0_u32..3000).flat_map(u32::to_le_bytes).chain([7]).collect();
    let platforms = ["x86_64-unknown-linux-gnu", "x86_64-pc-windows-msvc"];
    let binaries: Vec<_> =
        platforms.iter().map(|target| (Platform::of(target).unwrap(), binary.clone())).collect();
    packed(root(), &binaries, b"{}\n").unwrap()
}

#[test]
fn two_packs_of_the_same_binary_are_the_same_bytes() {
    let first = release();
    // Another second: a time that got into an archive would show.
    let began = std::time::SystemTime::now();
    while began.elapsed().unwrap().as_millis() < 2100 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(first, release());
}

#[test]
fn the_names_are_those_that_registries_look_for() {
    let names: Vec<String> = release().into_iter().map(|(name, _)| name.replace(VERSION, "1.2.3")).collect();
    assert_eq!(
        names,
        [
            "terraform-provider-eventual_1.2.3_linux_amd64.zip",
            "terraform-provider-eventual_1.2.3_windows_amd64.zip",
            "terraform-provider-eventual_1.2.3_manifest.json",
            "terraform-provider-eventual_1.2.3_sbom.cdx.json",
            "pulumi-resource-eventual-v1.2.3-linux-amd64.tar.gz",
            "pulumi-resource-eventual-v1.2.3-windows-amd64.tar.gz",
            "pulumi-resource-eventual_1.2.3_sbom.cdx.json",
            "terraform-provider-eventual_1.2.3_SHA256SUMS",
            "pulumi-resource-eventual_1.2.3_SHA256SUMS",
        ]
    );
    assert!(Platform::of("mips-unknown-none").is_err());
}

#[test]
fn checksums_and_archives_are_good_to_other_programs() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in release() {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    for sums in ["terraform-provider", "pulumi-resource"] {
        let checked = run("sha256sum", &["--check", &format!("{sums}-eventual_{VERSION}_SHA256SUMS")]);
        assert!(
            checked.lines().count() >= 2 && checked.lines().all(|line| line.ends_with(": OK")),
            "{checked}"
        );
    }
    let listed = run("tar", &["-tvzf", &format!("pulumi-resource-eventual-v{VERSION}-linux-amd64.tar.gz")]);
    let lines: Vec<&str> = listed.lines().collect();
    assert!(
        lines[0].starts_with("-rwxr-xr-x") && lines[0].ends_with(" pulumi-resource-eventual"),
        "{listed}"
    );
    assert!(lines[1].starts_with("-rw-r--r--") && lines[1].ends_with(" LICENSE"), "{listed}");
    run("tar", &["-xzf", &format!("pulumi-resource-eventual-v{VERSION}-linux-amd64.tar.gz")]);
    assert_eq!(fs::read(folder.path().join("pulumi-resource-eventual")).unwrap().len(), 12_001);
}

#[test]
fn terraform_installs_the_archive_from_a_mirror() {
    let folder = tempfile::tempdir().unwrap();
    let mirror = folder.path().join("mirror/registry.terraform.io/eventual/eventual");
    fs::create_dir_all(&mirror).unwrap();
    for (name, bytes) in release() {
        if name.ends_with("linux_amd64.zip") {
            fs::write(mirror.join(name), bytes).unwrap();
        }
    }
    let settings = format!(
        "provider_installation {{\n  filesystem_mirror {{\n    path = {:?}\n  }}\n}}\ndisable_checkpoint = true\n",
        folder.path().join("mirror")
    );
    fs::write(folder.path().join("mirror.tfrc"), settings).unwrap();
    let main = format!(
        "terraform {{\n  required_providers {{\n    eventual = {{\n      source  = \"eventual/eventual\"\n      version = \"{VERSION}\"\n    }}\n  }}\n}}\n"
    );
    fs::write(folder.path().join("main.tf"), main).unwrap();
    let output = Command::new("terraform")
        .args(["init", "-no-color", "-input=false"])
        .current_dir(folder.path())
        .env("TF_CLI_CONFIG_FILE", folder.path().join("mirror.tfrc"))
        .env("CHECKPOINT_DISABLE", "1")
        .output()
        .expect("Terraform 1.11 or later must be on the PATH");
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        assert!(output.status.success() && said.contains("Installed eventual/eventual"), "{said}");
        let lock = fs::read_to_string(folder.path().join(".terraform.lock.hcl")).unwrap();
        assert!(lock.contains(VERSION) && lock.contains("h1:"), "{lock}");
    } else {
        assert!(said.contains("eventual/eventual"), "{said}");
    }
}

#[test]
fn the_bill_names_what_is_linked_and_nothing_else() {
    let places = Places { root: root().to_path_buf(), cache: PathBuf::new(), target: root().join("target") };
    let targets = ["x86_64-unknown-linux-gnu".to_owned()];
    let bill = bill::of(&places, &targets).unwrap();
    assert_eq!(bill, bill::of(&places, &targets).unwrap());
    let bill: serde_json::Value = serde_json::from_slice(&bill).unwrap();
    let parts = bill["components"].as_array().unwrap();
    let named = |name: &str| parts.iter().find(|it| it["name"] == name);
    let tonic = named("tonic").unwrap();
    assert_eq!(tonic["hashes"][0]["content"].as_str().map(str::len), Some(64));
    assert_eq!(tonic["licenses"][0]["expression"], "MIT");
    assert!(named("eventual-schema").is_some() && named("rustls").is_some() && named("ring").is_some());
    for absent in ["proptest", "eventual-provider", "eventual-runtime", "windows-sys", "protox"] {
        assert!(named(absent).is_none(), "{absent} is not linked into the provider");
    }
    let unlicensed: Vec<_> = parts.iter().filter(|it| it["licenses"][0]["expression"] == "").collect();
    assert!(unlicensed.is_empty(), "{unlicensed:?}");
    let references: std::collections::BTreeSet<_> =
        parts.iter().map(|it| it["bom-ref"].as_str().unwrap().to_owned()).collect();
    for dependency in bill["dependencies"].as_array().unwrap() {
        for needed in dependency["dependsOn"].as_array().unwrap() {
            assert!(references.contains(needed.as_str().unwrap()), "{needed} is needed and not in the bill");
        }
    }
}

#[test]
fn a_signature_is_good_to_those_who_check_it() {
    let home = tempfile::tempdir().unwrap();
    let gpg = |words: &[&str]| {
        let mut gpg = Command::new("gpg");
        gpg.arg("--homedir").arg(home.path()).args(["--batch", "--quiet"]).args(words).output()
    };
    let key = "Tester <tester@example.com>";
    let words = ["--passphrase", "", "--quick-generate-key", key, "ed25519", "sign", "never"];
    let Ok(made) = gpg(&words) else {
        println!("did NOT run: gpg is not installed");
        return;
    };
    assert!(made.status.success(), "{made:?}");
    let file = home.path().join("SHA256SUMS");
    fs::write(&file, "00  a\n").unwrap();
    let sum = file.display().to_string();
    let signature = format!("{sum}.sig");
    bill::sign_in(&file, key, Some(home.path())).unwrap();
    assert!(gpg(&["--verify", &signature, &sum]).unwrap().status.success());
    fs::write(&file, "01  a\n").unwrap();
    assert!(!gpg(&["--verify", &signature, &sum]).unwrap().status.success());
    assert!(bill::sign_in(&file, "nobody@example.com", Some(home.path())).is_err());
    // The agent that gpg starts ends with its folder.
    let _ = Command::new("gpgconf").arg("--homedir").arg(home.path()).args(["--kill", "all"]).output();
}
