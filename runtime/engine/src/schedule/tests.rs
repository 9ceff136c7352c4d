//! What a schedule decides, without an engine: overlaps, catching up, pauses, backfills.

use eventual_core::Millis;
use eventual_schema::{HandlerName, Overlap, ScheduleSpec, Times};
use serde_json::json;

use super::command::{Backfill, ScheduleCommand};
use super::describe::ScheduleState;
use super::state::{Action, State};
use super::timetable::Timetable;

const MINUTE: Millis = 60_000;
/// 2030-01-01T00:00:00Z.
const START: Millis = 1_893_456_000_000;

/// A schedule of every minute.
struct Case {
    state: State,
    table: Timetable,
}

fn spec(overlap: Overlap) -> ScheduleSpec {
    let times = vec![Times::Every { every_ms: MINUTE, offset_ms: 0 }];
    let input = json!({ "for": "{{scheduled}} of {{schedule}}", "n": [1, "{{schedule}}"] });
    ScheduleSpec { overlap, ..ScheduleSpec::new(HandlerName::new("report").unwrap(), input, times) }
}

fn with(spec: ScheduleSpec) -> Case {
    let table = Timetable::new("minutely", &spec).unwrap();
    let mut state = State::new(spec, None);
    state.begin(START);
    Case { state, table }
}

impl Case {
    fn look(&mut self, now: Millis) -> Vec<Action> {
        let mut actions = Vec::new();
        self.state.look("minutely", &self.table, now, &mut actions);
        actions
    }

    fn told(&mut self, now: Millis, command: ScheduleCommand) -> Vec<Action> {
        let mut actions = Vec::new();
        self.state.told("minutely", &self.table, now, command, &mut actions);
        self.state.look("minutely", &self.table, now, &mut actions);
        actions
    }

    /// Everything that runs ends; what comes of it.
    fn end(&mut self, now: Millis) -> Vec<Action> {
        for execution in self.state.running.clone() {
            self.state.ended(&execution, "succeeded");
        }
        self.look(now)
    }
}

fn names(actions: &[Action]) -> Vec<String> {
    let name = |it: &Action| match it {
        Action::Start { execution, beside, .. } => {
            let beside = if *beside { " beside" } else { "" };
            format!("{}{beside}", execution.name().trim_start_matches("minutely-2030-01-01T00:"))
        }
        Action::Stop { terminate } => (if *terminate { "terminate" } else { "cancel" }).to_owned(),
    };
    actions.iter().map(name).collect()
}

#[test]
fn each_overlap_policy_does_what_it_says() {
    let cases: [(Overlap, &[&str], &[&str], u64); 6] = [
        (Overlap::Skip, &[], &[], 2),
        (Overlap::BufferOne, &[], &["02:00Z"], 1),
        (Overlap::BufferAll, &[], &["02:00Z"], 0),
        (Overlap::CancelOther, &["cancel", "cancel"], &["03:00Z"], 1),
        (Overlap::TerminateOther, &["terminate", "terminate"], &["03:00Z"], 1),
        (Overlap::AllowAll, &["02:00Z beside", "03:00Z beside"], &[], 0),
    ];
    for (overlap, at_once, after_the_end, skipped) in cases {
        let mut case = with(spec(overlap));
        assert_eq!(names(&case.look(START + MINUTE)).len(), 1, "{overlap:?}: the first is started");
        let mut actions = names(&case.look(START + 2 * MINUTE));
        actions.extend(names(&case.look(START + 3 * MINUTE)));
        assert_eq!(actions, at_once, "{overlap:?} while the first goes on");
        assert_eq!(names(&case.end(START + 3 * MINUTE + 1)), after_the_end, "{overlap:?} when it has ended");
        assert_eq!(case.state.skipped, skipped, "{overlap:?}");
    }
}

#[test]
fn what_is_buffered_goes_one_after_the_other() {
    let mut case = with(spec(Overlap::BufferAll));
    for minute in 1..=4 {
        case.look(START + minute * MINUTE);
    }
    assert_eq!(names(&case.end(START + 250_000)), ["02:00Z"]);
    assert_eq!(names(&case.end(START + 260_000)), ["03:00Z"]);
    assert_eq!(names(&case.end(START + 270_000)), ["04:00Z"]);
    assert!(case.end(START + 280_000).is_empty());
}

#[test]
fn what_was_missed_is_made_up_for_as_long_as_is_said() {
    let mut case = with(ScheduleSpec { catch_up_ms: 3 * MINUTE, ..spec(Overlap::AllowAll) });
    let actions = names(&case.look(START + 10 * MINUTE));
    assert_eq!(actions, ["07:00Z beside", "08:00Z beside", "09:00Z beside", "10:00Z beside"]);
    assert_eq!(case.state.missed, 6);
    assert!(case.look(START + 10 * MINUTE).is_empty(), "once");
}

#[test]
fn a_long_stretch_is_looked_at_in_parts() {
    let mut case = with(spec(Overlap::Skip));
    let now = START + 1_500 * MINUTE;
    assert_eq!(case.look(now).len(), 1);
    assert!(case.state.due(&case.table).is_some_and(|due| due < now), "there is more at once");
    case.look(now);
    assert_eq!((case.state.started, case.state.skipped), (1, 1_499));
    assert_eq!(case.state.due(&case.table), Some(now + MINUTE));
}

#[test]
fn paused_it_starts_what_is_asked_for_only_and_what_it_left_out_stays_so() {
    let mut case = with(spec(Overlap::Skip));
    case.told(START, ScheduleCommand::Pause { note: "holidays".into() });
    assert_eq!(case.state.due(&case.table), None);
    assert!(case.look(START + 5 * MINUTE).is_empty());
    let asked = case.told(START + 5 * MINUTE + 500, ScheduleCommand::Trigger { overlap: None });
    assert_eq!(names(&asked), ["05:00.5Z-1"]);
    assert_eq!(
        case.state.next(&case.table, START + 5 * MINUTE + 500, 2),
        [START + 6 * MINUTE, START + 7 * MINUTE]
    );
    let resumed = case.told(START + 7 * MINUTE, ScheduleCommand::Resume { note: String::new() });
    assert!(resumed.is_empty(), "{resumed:?}");
    case.end(START + 7 * MINUTE + 1);
    assert_eq!(names(&case.look(START + 8 * MINUTE)), ["08:00Z"]);
}

#[test]
fn a_backfill_makes_the_starts_of_its_stretch() {
    let mut case = with(spec(Overlap::Skip));
    let backfill = Backfill { from_ms: START - 3 * MINUTE, below_ms: START, overlap: Overlap::AllowAll };
    let actions = case.told(START + 1, ScheduleCommand::Backfill(backfill));
    let expected = ["57", "58", "59"].map(|it| format!("minutely-2029-12-31T23:{it}:00Z beside"));
    assert_eq!(names(&actions), expected);
    let one_by_one = Backfill { overlap: Overlap::BufferAll, ..backfill };
    assert_eq!(case.told(START + 1, ScheduleCommand::Backfill(one_by_one)).len(), 1);
    assert_eq!(case.state.waiting.len(), 2);
}

#[test]
fn a_change_looks_back_a_moment_and_no_further() {
    let mut case = with(spec(Overlap::AllowAll));
    let spec = ScheduleSpec { overlap: Overlap::Skip, ..spec(Overlap::Skip) };
    let put = ScheduleCommand::Put { spec: Box::new(spec), declared: Some("hash".into()) };
    assert_eq!(names(&case.told(START + 10 * MINUTE, put)), ["10:00Z"], "the time at which it was told");
    assert_eq!(case.state.skipped, 0, "and not those before");
    assert_eq!(case.state.declared.as_deref(), Some("hash"));
}

#[test]
fn it_ends_after_as_many_starts_as_were_wanted() {
    let mut case = with(ScheduleSpec { starts: Some(2), ..spec(Overlap::AllowAll) });
    assert_eq!(case.state.next(&case.table, START, 5).len(), 2);
    assert_eq!(case.look(START + 9 * MINUTE).len(), 2);
    assert_eq!(case.state.state(&case.table), ScheduleState::Done);
    assert_eq!(case.state.due(&case.table), None);
}

#[test]
fn said_again_it_goes_on_with_its_count() {
    let wanted = ScheduleSpec { starts: Some(2), ..spec(Overlap::AllowAll) };
    let put = |spec: &ScheduleSpec| ScheduleCommand::Put { spec: Box::new(spec.clone()), declared: None };
    let mut case = with(wanted.clone());
    assert_eq!(case.look(START + MINUTE).len(), 1);
    assert_eq!(case.told(START + MINUTE, put(&wanted)), []);
    assert_eq!(
        case.look(START + 10 * MINUTE).len(),
        1,
        "two, and not one more for each time that it is said"
    );
    let more = ScheduleSpec { starts: Some(3), ..wanted };
    assert_eq!(case.told(START + 10 * MINUTE, put(&more)).len(), 1, "the look back of a change");
    assert_eq!(case.look(START + 20 * MINUTE).len(), 2, "another spec counts anew");
}

#[test]
fn deleted_it_does_nothing_until_it_is_made_again() {
    let mut case = with(spec(Overlap::BufferAll));
    case.look(START + MINUTE);
    case.look(START + 2 * MINUTE);
    case.told(START + 2 * MINUTE, ScheduleCommand::Delete);
    assert!(case.end(START + 3 * MINUTE).is_empty(), "not even what waited");
    assert!(case.told(START + 3 * MINUTE, ScheduleCommand::Trigger { overlap: None }).is_empty());
    assert_eq!(case.state.state(&case.table), ScheduleState::Deleted);
    case.told(
        START + 5 * MINUTE,
        ScheduleCommand::Put { spec: Box::new(spec(Overlap::Skip)), declared: None },
    );
    assert_eq!(names(&case.look(START + 6 * MINUTE)), ["06:00Z"]);
}

#[test]
fn placeholders_of_the_input_are_filled_in() {
    let mut case = with(spec(Overlap::Skip));
    let actions = case.look(START + MINUTE);
    let [Action::Start { input, .. }] = actions.as_slice() else { panic!("{actions:?}") };
    let input: serde_json::Value = serde_json::from_slice(input.as_bytes()).unwrap();
    assert_eq!(input, json!({ "for": "2030-01-01T00:01:00Z of minutely", "n": [1, "minutely"] }));
}

#[test]
fn a_state_is_an_input_to_go_on_from() {
    let mut case = with(spec(Overlap::BufferAll));
    case.look(START + MINUTE);
    case.look(START + 2 * MINUTE);
    let text = serde_json::to_string(&case.state).unwrap();
    let mut state: State = serde_json::from_str(&text).unwrap();
    state.begin(START + 3 * MINUTE);
    let mut again = Case { state, table: case.table };
    assert_eq!(
        names(&again.look(START + 2 * MINUTE)),
        ["02:00Z"],
        "nothing runs any more, so the next is started"
    );
    assert_eq!((again.state.started, again.state.recent.len()), (2, 2));
}
