//! Retries: what an error says of them, how many attempts are seen, and limits of time. Typed from task to whoever asks.

use eventual_engine::core::Outcome;
use eventual_engine::http;

use crate::service::*;
use crate::stage;
use crate::stage::text;

const S: u64 = 1_000;

#[test]
fn an_error_says_when_it_is_tried_again() {
    let mut stage = stage();
    // Busy for 7 seconds, 20 by its class, 1.5 by an error of another kind, then the policy's 10.
    let id = stage.start(fails_as("wcep".into()));
    stage.advance(60 * S);
    assert_eq!(
        stage.seen(),
        ["1 at 0", "2 at 7", "3 at 27", "4 at 28"],
        "and a panic is no error: {:?}",
        stage.end(&id)
    );
    assert!(matches!(stage.end(&id), Some(Outcome::Failed(it)) if it.class == "ImportError::Call"));
}

#[test]
fn attempts_are_counted_and_the_last_one_is_the_last() {
    let mut stage = stage();
    let id = stage.start(fails_as("wwww".into()));
    stage.advance(100 * S);
    assert_eq!((text(stage.end(&id)), stage.seen().len()), ("5".to_owned(), 5));
    let mut stage = super::stage();
    let id = stage.start(fails_as("wwwwww".into()));
    stage.advance(100 * S);
    assert_eq!(stage.seen().len(), 5, "five attempts and no more");
    let Some(Outcome::Failed(failure)) = stage.end(&id) else { panic!() };
    assert_eq!(failure.class, "ImportError::Busy");
}

#[test]
fn final_errors_are_final_whoever_says_so() {
    for (how, class) in
        [("b", "ImportError::Broken"), ("n", "ImportError::NotNow"), ("f", "ImportError::Call")]
    {
        let mut stage = stage();
        let id = stage.start(fails_as(how.into()));
        stage.advance(100 * S);
        assert_eq!(stage.seen(), ["1 at 0"], "{how}");
        assert!(matches!(stage.end(&id), Some(Outcome::Failed(it)) if it.class == class), "{how}");
    }
}

#[test]
fn an_error_keeps_class_message_and_fields_up_to_the_http_answer() {
    let mut stage = stage();
    let id = stage.start(fails_as("b".into()));
    let Some(Outcome::Failed(failure)) = stage.end(&id) else { panic!("{:?}", stage.end(&id)) };
    assert_eq!((failure.class.as_str(), failure.status), ("ImportError::Broken", 422));
    let got = stage.system(&format!(r#"{{"op":"get","execution":"{id}"}}"#)).unwrap();
    let broken = r#"{"Broken":{"name":"a.csv"}}"#;
    assert!(got.contains(broken) && got.contains("the file a.csv is broken"), "{got}");
    // A handle reads it, a command passes it on, and HTTP answers it.
    let outcome = stage.command(read_end("1".into()));
    let answer = http::of_outcome(&outcome, "request");
    let wanted =
        format!(r#"{{"class":"ImportError::Broken","message":"the file a.csv is broken","data":{broken}}}"#);
    assert_eq!((answer.status, answer.body), (422, wanted));
}

#[test]
fn the_time_for_all_attempts_ends_them() {
    let mut stage = stage();
    // A third attempt after 27 seconds would be too late.
    let id = stage.start(fails_within("wcwww".into()));
    stage.advance(26 * S);
    assert_eq!(stage.seen(), ["1 at 0", "2 at 7"]);
    assert!(text(stage.end(&id)).contains("Constant"), "the error of the last attempt: {:?}", stage.end(&id));
    stage.advance(100 * S);
    assert_eq!(stage.seen().len(), 2);
}

#[test]
fn an_inline_task_that_hangs_ends_with_its_time() {
    let mut stage = stage();
    let id = stage.start(hangs());
    assert_eq!(text(stage.end(&id)), "\"Err(Timeout)\"");
    let mut stage = super::stage();
    let id = stage.start(too_long_inline());
    assert!(text(stage.end(&id)).contains("an inline task runs for at most 45000 ms"));
}
