//! The README's way to serve on this machine: `hello serve`, a request, and an orderly stop.
#![allow(clippy::unwrap_used, reason = "code of tests")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

#[test]
fn the_binary_serves_on_this_machine() {
    let store = std::env::temp_dir().join(format!("eventual-hello-{}", std::process::id()));
    let mut hello = Command::new(env!("CARGO_BIN_EXE_hello"))
        .args(["serve", "--listen", "127.0.0.1:0", "--store"])
        .arg(&store)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(hello.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.split("http://").nth(1).unwrap().split(',').next().unwrap();

    let mut connection = TcpStream::connect(address).unwrap();
    write!(connection, "POST /greetings/Ada HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();

    let stopped = Command::new("kill").args(["-TERM", &hello.id().to_string()]).status().unwrap();
    let status = hello.wait().unwrap();
    std::fs::remove_dir_all(&store).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("\"greet/"), "{answer}");
    assert!(stopped.success() && status.success(), "a stop is orderly: {status}");
}
