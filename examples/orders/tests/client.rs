//! The service called from another program, with the types of its crate: `eventual::client`.
#![allow(clippy::unwrap_used, reason = "code of tests")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use eventual::CallError;
use eventual::client::{
    Client, ExecutionError, OutgoingRequest, Progress, RemoteError, RemoteExecution, Retries,
};
use orders::{
    OrderError, OrderRef, PlaceOrder, Receipt, Ship, Shipment, Status, create_order, get_order, place_order,
    process_order, ship_order, update_order_status,
};

/// The service, served on this machine; it ends with this.
struct Serving {
    child: Child,
    url: String,
    _store: tempfile::TempDir,
}

impl Serving {
    fn start() -> Self {
        let store = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_orders"))
            .args(["serve", "--listen", "127.0.0.1:0", "--store"])
            .arg(store.path().join("store"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split(" on ").nth(1).unwrap().split(',').next().unwrap();
        Self { child, url: address.to_owned(), _store: store }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn order(id: &str) -> PlaceOrder {
    PlaceOrder { id: id.into(), amount_cents: 4_200, card: "tok".into(), ship_within_s: 3_600 }
}

#[tokio::test]
async fn commands_are_called_with_their_own_types() {
    let serving = Serving::start();
    let client = Client::new(&serving.url).unwrap();
    let placed = client.call(place_order(order("o-1"))).await.unwrap();
    assert_eq!(placed.execution, "processOrder/o-1");

    client.call(ship_order(Ship { id: "o-1".into(), tracking: "t-9".into() })).await.unwrap();
    let shipped: RemoteExecution<Receipt, OrderError> =
        client.executions().of(eventual::Execution::parse(&placed.execution).unwrap());
    let receipt = shipped.ended().await.unwrap().unwrap();
    assert_eq!(receipt.status, Status::Shipped { tracking: "t-9".into() });
    let view = client.call(get_order(OrderRef { id: "o-1".into() })).await.unwrap();
    assert_eq!(view.receipt, Some(receipt));

    let unknown = client.call(get_order(OrderRef { id: "nobody".into() })).await.unwrap_err();
    assert!(matches!(&unknown, RemoteError::Failed(OrderError::Call(it)) if it.status == 404), "{unknown}");
    let invalid = client.call(place_order(PlaceOrder { amount_cents: 0, ..order("") })).await.unwrap_err();
    let RemoteError::InvalidInput { problems, .. } = invalid else { panic!("{invalid}") };
    assert!(problems.iter().any(|it| it.path == "amount_cents") && problems.iter().any(|it| it.path == "id"));
    let task =
        client.call(update_order_status(orders::StatusUpdate { id: "o".into(), status: Status::Overdue }));
    assert!(matches!(task.await.unwrap_err(), RemoteError::Invalid(it) if it.class == "NotACommand"));
}

#[tokio::test]
async fn executions_are_started_signalled_and_ended_from_outside() {
    let serving = Serving::start();
    let executions = Client::new(&serving.url).unwrap().executions();
    let started = executions.start_as(process_order(order("o-1")), "o-1").await.unwrap();
    assert!(matches!(started.progress().await.unwrap(), Progress::Open(status) if status == "running"));
    let again = executions.start_as(process_order(order("o-1")), "o-1").await.unwrap();
    assert_eq!(again.execution(), started.execution());
    let other = executions.start_as(process_order(order("o-2")), "o-1").await.unwrap_err();
    assert!(matches!(&other, ExecutionError::Refused(it) if it.class == "AlreadyExists"), "{other}");
    started.signal(Shipment { tracking: "t-1".into() }).await.unwrap();
    let receipt = started.ended().await.unwrap().unwrap();
    assert_eq!(receipt.status, Status::Shipped { tracking: "t-1".into() });
    let late = started.signal(Shipment { tracking: "t-2".into() }).await.unwrap_err();
    assert!(matches!(&late, ExecutionError::Refused(it) if it.class == "Closed"), "{late}");

    let ended = executions.start(process_order(order("o-3"))).await.unwrap();
    ended.terminate("enough").await.unwrap();
    let Err(CallError::Terminated(reason)) = ended.ended().await.unwrap() else {
        panic!("it was terminated")
    };
    assert_eq!(reason, "enough");
    let nobody = executions.start(create_order(order("o-4"))).await.unwrap_err();
    assert!(matches!(&nobody, ExecutionError::Invalid(it) if it.class == "NotAWorkflow"), "{nobody}");
}

/// A gateway that gives these answers, one a connection, and tells what it was asked.
fn gateway(answers: &'static [(u16, &'static str)]) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let mut asked = Vec::new();
        for (status, body) in answers {
            let (mut connection, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut part = [0_u8; 4096];
            while !String::from_utf8_lossy(&request).contains("\r\n\r\n") {
                let read = connection.read(&mut part).unwrap();
                request.extend_from_slice(&part[..read]);
            }
            asked.push(String::from_utf8_lossy(&request).into_owned());
            let length = body.len();
            write!(
                connection,
                "HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            )
            .unwrap();
        }
        asked
    });
    (url, asked)
}

const VIEW: &str = r#"{"id":"o-1","status":"running","receipt":null}"#;
const BUSY: (u16, &str) = (503, r#"{"message":"Service Unavailable"}"#);

fn quick(url: &str) -> Client {
    let retries = Retries { delay: Duration::from_millis(1), ..Retries::default() };
    Client::new(url).unwrap().retries(retries)
}

#[tokio::test]
async fn reads_are_attempted_again_and_each_attempt_is_signed() {
    let (url, asked) = gateway(&[BUSY, BUSY, (200, VIEW)]);
    let signer = |request: OutgoingRequest| async move {
        Ok(vec![("authorization".to_owned(), format!("{} bytes for {}", request.body.len(), request.method))])
    };
    let client = quick(&url).sign(signer).header("x-team", "shop");
    let view = client.call(get_order(OrderRef { id: "o-1".into() })).await.unwrap();
    assert_eq!(view.status, "running");
    for request in asked.join().unwrap() {
        assert!(request.starts_with("POST /rpc/getOrder HTTP/1.1"), "{request}");
        let request = request.to_lowercase();
        assert!(
            request.contains("authorization: 12 bytes for post") && request.contains("x-team: shop"),
            "{request}"
        );
    }
}

#[tokio::test]
async fn what_may_have_been_done_is_not_done_again_unless_that_is_harmless() {
    let (url, asked) = gateway(&[BUSY]);
    let failed = quick(&url).call(place_order(order("o-1"))).await.unwrap_err();
    assert!(matches!(failed, RemoteError::Unavailable { status: Some(503), .. }), "{failed}");
    assert_eq!(asked.join().unwrap().len(), 1);
    let (url, asked) = gateway(&[BUSY, (200, r#"{"id":"o-1","execution":"processOrder/o-1"}"#)]);
    let done = quick(&url).call(place_order(order("o-1"))).idempotent(true).await.unwrap();
    assert_eq!((done.execution.as_str(), asked.join().unwrap().len()), ("processOrder/o-1", 2));
    let (url, asked) = gateway(&[(429, r#"{"message":"Too Many Requests"}"#), (200, VIEW)]);
    quick(&url).call(get_order(OrderRef { id: "o-1".into() })).await.unwrap();
    assert_eq!(asked.join().unwrap().len(), 2, "what was refused at the door was not begun");
}

#[tokio::test]
async fn nobody_there_no_time_and_no_url_are_told_apart() {
    let nobody = quick("http://127.0.0.1:9").call(get_order(OrderRef { id: "o".into() })).await.unwrap_err();
    assert!(matches!(nobody, RemoteError::Unavailable { status: None, .. }), "{nobody}");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = quick(&format!("http://{}", silent.local_addr().unwrap()));
    let call = client.call(get_order(OrderRef { id: "o".into() })).timeout(Duration::from_millis(50));
    assert!(call.await.unwrap_err().to_string().contains("no answer within 50ms"));
    for wrong in ["", "localhost:3000", "ftp://x", "http://"] {
        assert!(Client::new(wrong).unwrap_err().to_string().contains("URL"), "{wrong}");
    }
    assert!(Client::new("https://example.com").is_ok());
}
