//! What the scenarios stand on: an artifact, and, without a cloud, an answer to "who am I".
#![allow(dead_code, reason = "each test target uses a part of it")]

use std::path::Path;

use eventual_schema::artifact::pack;
use eventual_schema::digest::sha256_hex;
use eventual_schema::functions::default_functions;
use eventual_schema::{Manifest, deploy};
use object::write::Object;
use object::{Architecture, BinaryFormat, Endianness, SectionKind};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Writes the artifact of a service with the commands `placeOrder` and `getOrder`. Another `version` gives another
/// file.
pub(crate) fn write_artifact(path: &Path, version: &str) {
    let mut object = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    let section = object.add_section(Vec::new(), deploy::LINK_SECTION.into(), SectionKind::ReadOnlyData);
    object.append_section_data(section, b"command\0placeOrder\0command\0getOrder\0", 1);
    // Another version is other code, too.
    let note = object.add_section(Vec::new(), b".note.version".to_vec(), SectionKind::ReadOnlyData);
    object.append_section_data(note, version.as_bytes(), 1);
    let bootstrap = object.write().unwrap();
    let command = |name: &str| json!({ "name": name, "input": null, "output": {}, "source": { "file": "src/lib.rs", "line": 1 } });
    let manifest = json!({
        "format": 1, "service": "orders", "version": version, "functions": [],
        "code": { "sha256": sha256_hex(&bootstrap), "architecture": "x86_64" },
        "commands": [command("placeOrder"), command("getOrder")],
    });
    let mut manifest = Manifest::from_json(manifest.to_string().as_bytes()).unwrap();
    manifest.functions = default_functions(&manifest);
    std::fs::write(path, pack(&bootstrap, &manifest).unwrap()).unwrap();
}

/// Serves the one call of AWS that configuring a provider makes, and refuses every other: a scenario that reaches a
/// cloud fails. Answers the URL.
pub(crate) async fn identity() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    url
}

async fn answer(mut stream: TcpStream) {
    let mut request = String::new();
    let mut chunk = [0; 4096];
    // The action is in the body, which ends the request.
    while !request.contains("Action=") {
        match stream.read(&mut chunk).await {
            Ok(1..) => request.push_str(&String::from_utf8_lossy(&chunk)),
            _ => break,
        }
    }
    let (status, body) = if request.contains("Action=GetCallerIdentity") {
        let identity = "<Arn>arn:aws:iam::123456789012:user/tester</Arn><UserId>AIDATESTER</UserId><Account>123456789012</Account>";
        let xmlns = "https://sts.amazonaws.com/doc/2011-06-15/";
        let result = format!("<GetCallerIdentityResult>{identity}</GetCallerIdentityResult>");
        (
            "200 OK",
            format!("<GetCallerIdentityResponse xmlns=\"{xmlns}\">{result}</GetCallerIdentityResponse>"),
        )
    } else {
        ("403 Forbidden", String::new())
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/xml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    // The provider may have gone: then nobody waits for it.
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
}
