//! Schedules in virtual time: what starts when, whatever crashes in between.
#![allow(clippy::unwrap_used, reason = "a test's way to fail")]

use std::time::{Duration, Instant, SystemTime};

use eventual::{Overlap, Schedule};
use eventual_engine::core::ExecutionId;
use eventual_engine::ports::{ListQuery, Meta};
use eventual_testing::TestEnvironment;

const DAY: Duration = Duration::from_secs(86_400);
const HOUR: Duration = Duration::from_secs(3_600);

/// Makes the report of a moment.
#[eventual::workflow]
async fn report(of: String) -> eventual::Result<String> {
    Ok(format!("report of {of}"))
}

/// Takes its time.
#[eventual::workflow]
async fn import(minutes: u64) -> eventual::Result<()> {
    eventual::sleep(Duration::from_secs(60 * minutes)).await?;
    Ok(())
}

/// Stands in the code with its schedule.
#[eventual::workflow(schedule(cron = "0 9 * * *", time_zone = "Europe/Berlin", overlap = buffer_one, input = "\"{{scheduled}}\""))]
async fn declared(of: String) -> eventual::Result<String> {
    Ok(of)
}

/// Also, and takes nothing.
#[eventual::workflow(schedule(every = "1h", name = "sweeper", jitter = "5m"))]
async fn sweep() -> eventual::Result<()> {
    Ok(())
}

#[eventual::command(uses(report))]
async fn every_morning() -> eventual::Result<()> {
    let every = report("{{scheduled}}".to_owned()).schedule_as("mornings");
    every.cron("30 2 * * *").time_zone("Europe/Berlin").put().await?;
    Ok(())
}

#[eventual::command(uses(import))]
async fn hourly(overlap: String) -> eventual::Result<()> {
    let overlap: Overlap = serde_json::from_value(serde_json::Value::String(overlap))?;
    import(90).schedule_as("imports").every(HOUR).overlap(overlap).put().await?;
    Ok(())
}

#[eventual::command(uses(import, report))]
async fn tell(what: String) -> eventual::Result<String> {
    let imports = Schedule::named("imports");
    let at = |hour: u64| {
        SystemTime::UNIX_EPOCH
            + Duration::from_millis(eventual_testing::world::START)
            + HOUR * u32::try_from(hour).unwrap()
    };
    match what.as_str() {
        "pause" => imports.pause("for the night").await?,
        "resume" => imports.resume("").await?,
        "trigger" => imports.trigger().await?,
        "delete" => imports.delete().await?,
        "backfill" => imports.backfill(at(0)..at(3), Overlap::AllowAll).await?,
        "create" => drop(import(1).schedule_as("imports").every(HOUR).create().await?),
        "never" => drop(import(1).schedule_as("x").cron("0 0 30 2 *").put().await?),
        "delete declared" => Schedule::named("declared").delete().await?,
        "list" => {
            let (schedules, _) = Schedule::list(None).await?;
            return Ok(schedules.iter().map(Schedule::name).collect::<Vec<_>>().join(" "));
        }
        other => return Err(eventual::Error::new("Unknown", other)),
    }
    let described = imports.describe(2).await?;
    Ok(format!("{} {:?} {}", described.state(), described.counts(), described.note()))
}

fn service() -> TestEnvironment {
    TestEnvironment::new(eventual::service!())
}

/// The executions of a workflow, oldest first.
fn executions(service: &TestEnvironment, workflow: &str) -> Vec<Meta> {
    let mut query = ListQuery { workflow: Some(workflow.to_owned()), limit: 100, ..ListQuery::default() };
    let mut found = Vec::new();
    loop {
        let page = service.drive().block_on(service.drive().store().list(&query)).unwrap();
        found.extend(page.executions);
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    found.reverse();
    found
}

fn names(service: &TestEnvironment, workflow: &str) -> Vec<String> {
    executions(service, workflow).iter().map(|it| it.id.name().to_owned()).collect()
}

#[test]
fn a_daily_schedule_of_a_year_is_exact_and_takes_no_time() {
    let begun = Instant::now();
    let mut service = service().retention(DAY * 400);
    service.call(every_morning()).unwrap();
    for month in 0..12 {
        service.advance(DAY * 31);
        if month % 3 == 0 {
            service.restart();
        }
    }
    let all = executions(&service, "report");
    assert_eq!(all.len(), 372, "one a day, also when the clocks are put forward and back");
    for meta in &all {
        let scheduled = meta.id.name().strip_prefix("mornings-").unwrap();
        let end = meta.end.as_ref().map(|it| format!("{it:?}")).unwrap();
        assert!(end.contains(scheduled), "the input says for when it is: {end}");
    }
    let named = names(&service, "report");
    assert!(named.contains(&"mornings-2030-03-31T01:00:00Z".to_owned()), "after the gap");
    assert_eq!(
        named.iter().filter(|it| it.contains("2030-10-27")).count(),
        1,
        "once, although it is there twice"
    );
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

#[test]
fn each_overlap_policy_is_kept_through_crashes() {
    let cases = [
        ("skip", vec!["01", "03", "05"], 0),
        ("bufferOne", vec!["01", "02", "03", "05"], 0),
        ("cancelOther", vec!["01", "02", "03", "04", "05", "06"], 5),
        ("terminateOther", vec!["01", "02", "03", "04", "05", "06"], 5),
        ("allowAll", vec!["01", "02", "03", "04", "05", "06"], 0),
    ];
    for (overlap, hours, ended_early) in cases {
        let mut service = service();
        service.call(hourly(overlap.to_owned())).unwrap();
        for _ in 0..13 {
            service.advance(HOUR / 2);
            service.restart();
        }
        let expected: Vec<String> =
            hours.iter().map(|hour| format!("imports-2030-01-01T{hour}:00:00Z")).collect();
        assert_eq!(names(&service, "import"), expected, "{overlap:?}");
        let early = |it: &&Meta| matches!(it.status.as_str(), "cancelled" | "terminated");
        assert_eq!(executions(&service, "import").iter().filter(early).count(), ended_early, "{overlap:?}");
        assert!(service.drive().dead_letters().is_empty());
    }
}

#[test]
fn it_is_paused_resumed_triggered_backfilled_and_deleted() {
    let service = service();
    service.call(hourly("skip".to_owned())).unwrap();
    let told = |what: &str| service.call(tell(what.to_owned())).map_err(|it| it.to_string());
    assert_eq!(told("list").unwrap(), "imports");
    assert!(told("create").unwrap_err().contains("there is a schedule `imports`"));
    told("pause").unwrap();
    service.advance(HOUR * 5);
    assert_eq!(executions(&service, "import").len(), 0);
    told("trigger").unwrap();
    assert_eq!(names(&service, "import"), ["imports-2030-01-01T05:00:00Z-1"], "also while it is paused");
    service.advance(HOUR * 2);
    told("resume").unwrap();
    service.advance(HOUR);
    assert_eq!(executions(&service, "import").len(), 2, "the hours in between are left out");
    told("backfill").unwrap();
    service.advance(Duration::from_millis(1));
    assert!(names(&service, "import").contains(&"imports-2030-01-01T00:00:00Z".to_owned()));
    assert_eq!(executions(&service, "import").len(), 5);
    told("backfill").unwrap();
    service.advance(Duration::from_millis(1));
    assert_eq!(executions(&service, "import").len(), 5, "nothing is started again");
    told("delete").unwrap();
    service.advance(HOUR * 5);
    assert_eq!(told("list").unwrap(), "");
    assert_eq!(executions(&service, "import").len(), 5, "what was started stays, nothing comes");
    assert!(told("pause").unwrap_err().contains("no schedule `imports`"));
    service.call(hourly("skip".to_owned())).unwrap();
    service.advance(HOUR);
    assert_eq!(executions(&service, "import").len(), 6, "its name can be used again");
    assert!(told("never").unwrap_err().contains("never"));
}

#[test]
fn schedules_in_the_code_exist_with_the_service() {
    let mut service = service();
    service.start_schedules().unwrap();
    service.advance(DAY * 2);
    assert_eq!(
        names(&service, "declared"),
        ["declared-2030-01-01T08:00:00Z", "declared-2030-01-02T08:00:00Z"]
    );
    let sweeps = executions(&service, "sweep");
    assert!((47..=48).contains(&sweeps.len()), "one an hour, up to five minutes later: {}", sweeps.len());
    let late = |it: &Meta| (it.started - eventual_testing::world::START) % 3_600_000;
    assert!(sweeps.iter().all(|it| late(it) <= 300_000) && sweeps.iter().any(|it| late(it) > 0));
    service.restart();
    service.advance(DAY);
    assert_eq!(executions(&service, "declared").len(), 3, "declared again, nothing changes");
    let told = service.call(tell("delete declared".to_owned())).unwrap_err().to_string();
    assert!(told.contains("declared"), "{told}");
}

#[test]
fn what_the_code_no_longer_declares_is_deleted_before_it_starts_again() {
    let mut service = service();
    service.start_schedules().unwrap();
    service.advance(DAY);
    assert_eq!(executions(&service, "declared").len(), 1);
    let mut schedules = service.service().manifest().schedules.clone();
    schedules.retain(|it| it.name != "declared");
    service.drive_mut().deploy(schedules.clone()).unwrap();
    service.advance(DAY * 3);
    assert_eq!(executions(&service, "declared").len(), 1, "it woke, and found that it is no more");
    let id = ExecutionId::new("eventualSchedule", "sweeper").unwrap();
    let before = service.drive().history(&id).len();
    schedules[0].spec.times = vec![eventual_schema::Times::Cron("@daily".into())];
    service.drive_mut().deploy(schedules).unwrap();
    service.advance(HOUR * 3);
    assert!(service.drive().history(&id).len() <= before + 3, "changed at once: no more starts an hour");
}
