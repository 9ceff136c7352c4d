//! The payments gateway of the demo and of the end-to-end tests: the outside world that an order's payment task charges.
//! It honours `Idempotency-Key` as real gateways do, so what it counts tells whether a payment was made twice.
//! Deliberately keeps everything in memory and serves one call at a time.
//!
//! | call | answer |
//! |---|---|
//! | `POST /charges` with `Idempotency-Key` | 200 and the charge; the same key gives the same charge; 503 while told to fail |
//! | `GET /charges` | all charges and how many calls asked for each |
//! | `POST /fail-next` `{"times": n}` | the next `n` charges are refused with 503 before anything is recorded |
//! | `POST /hold` `{"seconds": n}` | every answer to a charge waits so long after it is recorded: the time to kill its caller in |
//! | `POST /reset` | forgets everything |

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tiny_http::{Header, Method, Request, Response, Server};

use crate::failure::{Context, Failure, Result};

#[derive(Debug, Default)]
struct Gateway {
    charges: BTreeMap<String, Charge>,
    refuse: u64,
    hold: Duration,
}

#[derive(Debug)]
struct Charge {
    id: String,
    request: Value,
    calls: u64,
}

/// Serves on `port` of the loopback until the process ends.
pub(crate) fn serve(port: u16) -> Result<()> {
    let server =
        Server::http(("127.0.0.1", port)).map_err(|error| Failure::new(format!("port {port}: {error}")))?;
    let mut gateway = Gateway::default();
    for mut request in server.incoming_requests() {
        let mut body = String::new();
        request.as_reader().read_to_string(&mut body).context("payments gateway")?;
        let body = serde_json::from_str(&body).unwrap_or(Value::Null);
        let key = idempotency_key(&request);
        let charging = *request.method() == Method::Post && request.url() == "/charges";
        let (status, answer) = gateway.answer(request.method(), request.url(), key, &body);
        let hold = if charging { gateway.hold } else { Duration::ZERO };
        // Answered on a thread: a caller that is held, or killed meanwhile, must not stop the others.
        thread::spawn(move || {
            thread::sleep(hold);
            let json = Header::from_bytes("content-type", "application/json");
            let response = Response::from_string(answer.to_string()).with_status_code(status);
            let _ = request.respond(json.into_iter().fold(response, Response::with_header));
        });
    }
    Ok(())
}

fn idempotency_key(request: &Request) -> Option<String> {
    let header = request.headers().iter().find(|header| header.field.equiv("Idempotency-Key"))?;
    Some(header.value.as_str().to_owned())
}

impl Gateway {
    fn answer(&mut self, method: &Method, path: &str, key: Option<String>, body: &Value) -> (u16, Value) {
        match (method, path) {
            (Method::Post, "/charges") => self.charge(key, body),
            (Method::Get, "/charges") => {
                let charge = |(key, charge): (&String, &Charge)| json!({ "key": key, "id": charge.id, "request": charge.request, "calls": charge.calls });
                (200, self.charges.iter().map(charge).collect())
            }
            (Method::Get, "/health") => (200, json!({})),
            (Method::Post, "/fail-next") => {
                self.refuse = body["times"].as_u64().unwrap_or(1);
                (200, json!({}))
            }
            (Method::Post, "/hold") => {
                self.hold = Duration::from_secs_f64(body["seconds"].as_f64().unwrap_or(0.0));
                (200, json!({}))
            }
            (Method::Post, "/reset") => {
                *self = Self::default();
                (200, json!({}))
            }
            _ => (404, json!({ "error": "no such call" })),
        }
    }

    fn charge(&mut self, key: Option<String>, request: &Value) -> (u16, Value) {
        let Some(key) = key else {
            return (400, json!({ "error": "the header Idempotency-Key is missing" }));
        };
        if self.refuse > 0 {
            self.refuse -= 1;
            return (503, json!({ "error": "try again" }));
        }
        let number = self.charges.len() + 1;
        let charge = self.charges.entry(key).or_insert_with(|| Charge {
            id: format!("ch_{number}"),
            request: request.clone(),
            calls: 0,
        });
        charge.calls += 1;
        if charge.request == *request {
            (200, json!({ "id": charge.id }))
        } else {
            (422, json!({ "error": "this Idempotency-Key was used for another charge" }))
        }
    }
}
