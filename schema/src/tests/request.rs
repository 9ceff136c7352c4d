//! Requests of every form, and what they become.

use serde_json::{Value, json};

use super::{Parts, assemble, refusal};
use crate::manifest::{Command, Method, Route};
use crate::name::HandlerName;
use crate::{Source, shape::Schemas};

fn command(input: Value) -> Command {
    Command {
        name: HandlerName::new("it").unwrap(),
        summary: String::new(),
        description: String::new(),
        input,
        output: Value::Null,
        error: Value::Null,
        route: None,
        auth: None,
        needs: Default::default(),
        timeout_s: None,
        memory_mb: None,
        source: Source { file: String::new(), line: 1 },
    }
}

fn item() -> Value {
    json!({
        "type": "object",
        "properties": {"id": {"type": "integer"}, "tags": {"type": "array", "items": {"type": "string"}}, "all": {"type": "boolean"}},
        "required": ["id"],
        "additionalProperties": false,
    })
}

fn send(
    input: Value,
    method: Option<Method>,
    path: &[(&str, &str)],
    query: &[(&str, &str)],
    body: &str,
) -> Result<Value, Vec<String>> {
    let own = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    };
    let route = method.map(|method| Route { method, path: String::new() });
    let parts = Parts { path: own(path).into_iter().collect(), query: own(query), body: body.as_bytes() };
    assemble(&command(input), &Schemas::new(), route.as_ref(), &parts)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

#[test]
fn rpc_takes_the_body() {
    assert_eq!(send(item(), None, &[], &[], r#"{"id":1}"#), Ok(json!({"id": 1})));
    assert_eq!(send(item(), None, &[], &[], ""), Err(vec!["id: is missing".to_owned()]));
    assert_eq!(send(json!({"type": "integer"}), None, &[], &[], "0"), Ok(json!(0)));
    assert_eq!(send(json!({"type": ["string", "null"]}), None, &[], &[], ""), Ok(Value::Null));
    assert_eq!(send(Value::Null, None, &[], &[], "whatever"), Ok(Value::Null));
    let refused = send(item(), None, &[], &[], "{").unwrap_err();
    assert!(refused[0].starts_with("the body is not JSON: EOF"), "{refused:?}");
}

#[test]
fn path_wins_over_body_and_query_is_read_by_schema() {
    assert_eq!(
        send(item(), Some(Method::Post), &[("id", "7")], &[("all", "true")], r#"{"id":1,"tags":["x"]}"#),
        Ok(json!({"id": 7, "tags": ["x"]}))
    );
    let query = [("tags", "1"), ("tags", "b"), ("all", "false"), ("utm_source", "x")];
    assert_eq!(
        send(item(), Some(Method::Get), &[("id", "7")], &query, "ignored"),
        Ok(json!({"id": 7, "tags": ["1", "b"], "all": false}))
    );
    assert_eq!(
        send(item(), Some(Method::Delete), &[("id", "x")], &[], ""),
        Err(vec!["id: expected integer, found \"x\"".to_owned()])
    );
    assert_eq!(
        send(item(), Some(Method::Put), &[], &[], "[]"),
        Err(vec!["expected object, found an array".to_owned()])
    );
}

#[test]
fn an_input_that_is_no_object_is_the_path_parameter_or_the_body() {
    assert_eq!(send(json!({"type": "string"}), Some(Method::Get), &[("id", "7")], &[], ""), Ok(json!("7")));
    assert_eq!(send(json!({"type": "integer"}), Some(Method::Post), &[], &[], "7"), Ok(json!(7)));
    assert_eq!(
        send(json!({"type": "integer"}), Some(Method::Get), &[], &[], ""),
        Err(vec!["expected integer, found null".to_owned()])
    );
}

#[test]
fn a_refusal_names_every_problem() {
    let Err(problems) = assemble(
        &command(item()),
        &Schemas::new(),
        None,
        &Parts { body: br#"{"al":1}"#, ..Parts::default() },
    ) else {
        panic!("accepted");
    };
    assert_eq!(
        refusal(&problems),
        json!({
            "class": "InvalidInput",
            "message": "the input is not valid: id: is missing; al: is not expected; did you mean all?",
            "data": {"problems": [{"path": "id", "message": "is missing"}, {"path": "al", "message": "is not expected; did you mean all?"}]},
        })
    );
}
