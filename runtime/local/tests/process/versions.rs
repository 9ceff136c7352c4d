//! One program after another serves a store: executions that are pinned go on with the program that they were started on, whichever
//! serves, and the others follow the newest.
//!
//! The word that tells a program to be a kept one selects tests of this binary by their names: see `service.rs`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::child::Served;

/// A deadline for everything that is waited for here.
const LONGEST: Duration = Duration::from_secs(30);

/// This program again, with something behind its end that nobody reads: another build of the same code.
fn another_build(folder: &Path, name: &str) -> PathBuf {
    let place = folder.join(name);
    fs::create_dir(&place).unwrap();
    let program = place.join("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    fs::OpenOptions::new().append(true).open(&program).unwrap().write_all(name.as_bytes()).unwrap();
    program
}

/// Two builds, and a store.
struct Stage {
    _folder: tempfile::TempDir,
    store: PathBuf,
    builds: [PathBuf; 2],
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let builds = ["second", "third"].map(|it| another_build(folder.path(), it));
        Self { store: folder.path().join("store"), builds, _folder: folder }
    }

    /// This program serves, the first of three.
    fn first(&self) -> Served {
        Served::start(&self.store)
    }

    fn second(&self) -> Served {
        Served::start_program(&self.builds[0], &self.store)
    }

    fn third(&self) -> Served {
        Served::start_program(&self.builds[1], &self.store)
    }

    /// The programs that are kept.
    fn kept(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.store.join("programs")).into_iter().flatten();
        entries.map(|it| it.unwrap().path()).collect()
    }

    /// The processes that run a program that is kept.
    fn running(&self) -> Vec<u32> {
        let ours = |id: &u32| {
            let program = fs::read_link(format!("/proc/{id}/exe"));
            program.is_ok_and(|it| it.starts_with(self.store.canonicalize().unwrap()))
        };
        let entries = fs::read_dir("/proc").unwrap().flatten();
        entries.filter_map(|it| it.file_name().to_str()?.parse().ok()).filter(ours).collect()
    }

    async fn nothing_runs(&self) {
        until("nothing runs any more", || self.running().is_empty()).await;
    }

    /// Starts an execution with the first program, and stops that.
    async fn started(workflows: &[(&str, Value)]) -> Self {
        let stage = Self::new();
        let mut served = stage.first();
        for (workflow, input) in workflows {
            assert!(served.start_execution(workflow, "x", input.clone()).await);
        }
        assert!(served.stop());
        stage
    }
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < LONGEST, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn kill(id: u32) {
    assert!(Command::new("kill").args(["-9", &id.to_string()]).status().unwrap().success());
}

/// Where the code of a tour is, and what it has seen: asked until it has seen so much.
async fn seen(served: &Served, execution: &str, count: usize) -> Value {
    let begun = Instant::now();
    loop {
        let answer = served.query(execution, "seen").await;
        if answer["answer"][1].as_array().is_some_and(|it| it.len() >= count) {
            return answer["answer"].clone();
        }
        assert!(begun.elapsed() < LONGEST, "{execution}: {answer}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn pinned_executions_go_on_with_the_program_that_they_were_started_on() {
    let stage = Stage::started(&[("tour", json!(null)), ("waits", json!(null))]).await;
    assert_eq!(stage.kept().len(), 1, "as soon as an execution is pinned to it");

    let mut second = stage.second();
    second.signal("waits/x", json!(5)).await;
    assert_eq!(second.result("waits/x").await, json!(5), "what is not pinned follows the newest code");
    assert!(stage.running().is_empty(), "nobody needed it");
    let step = json!(["programs: hello", "second", "programs: hello"]);
    second.signal("tour/x", json!(1)).await;
    assert_eq!(
        seen(&second, "tour/x", 3).await,
        json!(["programs", step]),
        "tasks are performed by the newest"
    );
    assert_eq!(stage.running().len(), 1, "one process for all that it does");
    second.signal("tour/x", json!(2)).await;
    let both = [step.as_array().unwrap().clone(), step.as_array().unwrap().clone()].concat();
    assert_eq!(second.result("tour/x").await, json!(both));
    assert_eq!(second.query("tour/x", "seen").await["answer"][0], "programs", "also when it has ended");
    assert!(second.stop());
    assert!(stage.running().is_empty(), "it ends before the program that serves");

    let mut third = stage.third();
    until("what nobody needs is deleted", || stage.kept().is_empty()).await;
    assert!(third.stop());
}

#[tokio::test]
async fn three_programs_go_on_at_once_and_each_is_kept_for_as_long_as_it_is_needed() {
    let stage = Stage::started(&[("tour", json!(null))]).await;
    let mut second = stage.second();
    assert!(second.start_execution("tour", "y", json!(null)).await);
    assert_eq!(stage.kept().len(), 2);
    // Both are in the middle.
    for execution in ["tour/x", "tour/y"] {
        second.signal(execution, json!(1)).await;
        seen(&second, execution, 3).await;
    }
    assert!(second.stop());

    let mut third = stage.third();
    assert!(third.start_execution("tour", "z", json!(null)).await);
    for execution in ["tour/x", "tour/y", "tour/z", "tour/z"] {
        third.signal(execution, json!(2)).await;
    }
    let first = third.result("tour/x").await;
    assert_eq!(
        (&first[1], &first[3], &first[4]),
        (&json!("second"), &json!("programs: hello"), &json!("third"))
    );
    let other = third.result("tour/y").await;
    assert_eq!((&other[0], &other[3]), (&json!("second: hello"), &json!("programs: hello")));
    assert_eq!(third.result("tour/z").await[0], "third: hello");
    assert_eq!(stage.running().len(), 2);
    assert!(third.start_execution("waitsPinned", "v", json!(null)).await);
    assert!(third.stop());

    let mut back = stage.first();
    until("the second is not needed, and the first runs", || stage.kept().len() == 2).await;
    back.signal("waitsPinned/v", json!(3)).await;
    assert_eq!(back.result("waitsPinned/v").await, json!(3), "the newer one can be the former one");
    assert!(back.stop());
}

#[tokio::test]
async fn a_kept_program_that_is_killed_in_the_middle_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("there");
    let stage = Stage::started(&[("middle", json!(file)), ("tour", json!(null))]).await;
    let mut second = stage.second();
    second.signal("middle/x", json!(4)).await;
    until("it is in the middle of its task", || file.exists()).await;
    kill(stage.running()[0]);
    // Others that it was with, or comes to be with, are not held up.
    second.signal("tour/x", json!(1)).await;
    seen(&second, "tour/x", 3).await;
    assert_eq!(second.result("middle/x").await, json!([5, "programs"]));
    assert_eq!(second.query("tour/x", "seen").await["answer"][0], "programs");
    assert!(second.stop());
    stage.nothing_runs().await;
}

#[tokio::test]
async fn when_the_program_that_serves_is_killed_the_kept_one_ends_and_the_next_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("there");
    let stage = Stage::started(&[("middle", json!(file))]).await;
    let mut second = stage.second();
    second.signal("middle/x", json!(4)).await;
    until("it is in the middle of its task", || file.exists()).await;
    assert_eq!(stage.running().len(), 1);
    second.kill();
    stage.nothing_runs().await;

    let mut third = stage.third();
    assert_eq!(third.result("middle/x").await, json!([5, "programs"]), "what was accepted is handled again");
    // With one that does nothing at the moment, too.
    assert_eq!(stage.running().len(), 1);
    third.kill();
    stage.nothing_runs().await;
}

#[tokio::test]
async fn without_its_program_a_pinned_execution_waits_and_others_do_not() {
    let stage = Stage::started(&[("waitsPinned", json!(null)), ("waits", json!(null))]).await;
    let kept = stage.kept().remove(0);
    let damages: [fn(&Path); 3] = [
        |it| fs::write(it, "#!/bin/sh\nexec sleep 60\n").unwrap(),
        |it| fs::OpenOptions::new().append(true).open(it).unwrap().write_all(b"more").unwrap(),
        |it| fs::remove_file(it).unwrap(),
    ];
    let whole = fs::read(&kept).unwrap();
    for (number, damage) in damages.into_iter().enumerate() {
        fs::write(&kept, &whole).unwrap();
        damage(&kept);
        let mut second = stage.second();
        if number == 0 {
            second.signal("waitsPinned/x", json!(5)).await;
        }
        let parked = second.standing("waitsPinned/x", "parked").await;
        let why = parked["parked"].as_str().unwrap_or_else(|| panic!("{parked}"));
        assert!(
            why.contains(parked["code"].as_str().unwrap()) && why.contains("run that code again"),
            "{why}"
        );
        let asked = second.query("waitsPinned/x", "seen").await;
        assert!(asked.to_string().contains("run that code again"), "{asked}");
        assert!(second.start_execution("nine", &number.to_string(), json!(null)).await);
        assert_eq!(second.result(&format!("nine/{number}")).await, json!(45));
        let report = second.ask(json!({ "op": "versions", "workflow": "waitsPinned" })).await.unwrap();
        assert_eq!(report["versions"][0]["code"], parked["code"], "{report}");
        assert_ne!(report["code"], parked["code"], "{report}");
        assert!(second.stop());
        assert!(stage.running().is_empty());
    }
    let mut first = stage.first();
    let ended = first.standing("waitsPinned/x", "succeeded").await;
    assert_eq!(ended["result"], json!(5), "nothing was lost, and nobody had to resume it");
    assert!(first.stop());
}

#[tokio::test]
async fn what_was_parked_goes_on_when_its_program_is_there_again() {
    let stage = Stage::started(&[("waitsPinned", json!(null))]).await;
    let kept = stage.kept().remove(0);
    let aside = kept.with_file_name("aside");
    fs::rename(&kept, &aside).unwrap();
    let mut second = stage.second();
    second.signal("waitsPinned/x", json!(6)).await;
    second.standing("waitsPinned/x", "parked").await;
    assert!(second.stop());
    fs::rename(&aside, &kept).unwrap();
    let mut third = stage.third();
    assert_eq!(third.standing("waitsPinned/x", "succeeded").await["result"], json!(6));
    assert_eq!(
        fs::read_link(format!("/proc/{}/exe", third.id())).unwrap(),
        stage.builds[1].canonicalize().unwrap()
    );
    assert!(third.stop());
}

#[tokio::test]
async fn a_program_that_serves_keeps_itself_when_what_is_pinned_to_it_was_there_before() {
    let stage = Stage::started(&[("waitsPinned", json!(null))]).await;
    let kept = stage.kept().remove(0);
    fs::write(&kept, "damaged").unwrap();
    let mut first = stage.first();
    until("it is mended", || fs::metadata(&kept).is_ok_and(|it| it.len() > 1_000)).await;
    assert!(first.stop());
    let mut second = stage.second();
    second.signal("waitsPinned/x", json!(7)).await;
    assert_eq!(second.result("waitsPinned/x").await, json!(7));
    assert!(second.stop());
}

/// How many steps were performed, by whichever process.
fn steps(store: &Path) -> usize {
    fs::read_to_string(store.with_extension("effects")).unwrap_or_default().lines().count()
}

#[tokio::test]
async fn whoever_is_killed_again_and_again_every_execution_ends_as_it_should() {
    let stage = Stage::new();
    let names: Vec<String> = (0..20).map(|it| format!("ninePinned/{it}")).collect();
    let mut served = stage.first();
    for name in 0..names.len() {
        assert!(served.start_execution("ninePinned", &name.to_string(), json!(null)).await);
    }
    assert!(served.stop());
    served = stage.second();
    for name in &names {
        served.signal(name, json!(1)).await;
    }
    for kills in 1..=6 {
        // Or to its end, on a quick machine.
        let done = || steps(&stage.store) >= 9 * names.len();
        let goes_on = || steps(&stage.store) >= 25 * kills && !stage.running().is_empty();
        until("it gets somewhere", || done() || goes_on()).await;
        if kills % 3 == 0 {
            served.kill();
            stage.nothing_runs().await;
            served = if kills % 2 == 0 { stage.third() } else { stage.second() };
        } else {
            stage.running().into_iter().for_each(kill);
        }
    }
    for name in &names {
        assert_eq!(served.result(name).await, json!(46), "{name}");
    }
    let letters: Value =
        served.request("GET", "/_eventual/dead-letters").send().await.unwrap().json().await.unwrap();
    assert_eq!(letters["deadLetters"], json!([]), "nothing was given up");
    assert!(served.stop());
    assert!(stage.running().is_empty());
}
