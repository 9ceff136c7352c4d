//! When a schedule's times are: cron expressions in a time zone, and intervals. Pure: the same for the same spec, on every
//! host and every replay, because the time zones are those of the binary.
//!
//! Where clocks are put forward, a fixed time that does not exist is at the first moment after the gap, and an interval
//! (`*/5`) leaves out what does not exist. Where they are put back, a fixed time that is there twice counts once, the
//! first time, and an interval goes through both.

use croner::Cron;
use eventual_core::Millis;
use eventual_core::limits::{SCHEDULE_EVERY_MIN_MS, SCHEDULE_TIMES_MAX};
use eventual_schema::{ScheduleSpec, Times};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The times of one schedule.
#[derive(Debug)]
pub struct Timetable {
    times: Vec<Time>,
    zone: TimeZone,
    from: Millis,
    until: Option<Millis>,
    jitter_ms: u64,
    /// Of the schedule's name, by which jitter differs from schedule to schedule.
    salt: u64,
}

#[derive(Debug)]
enum Time {
    Cron(Box<Cron>),
    Every { every_ms: u64, offset_ms: u64 },
}

impl Timetable {
    /// The times of the schedule `name`.
    ///
    /// # Errors
    /// When an expression, the time zone or an interval is none; says which and what one looks like.
    pub fn new(name: &str, spec: &ScheduleSpec) -> Result<Self, String> {
        if spec.times.is_empty() || spec.times.len() > SCHEDULE_TIMES_MAX {
            let count = spec.times.len();
            return Err(format!(
                "a schedule has 1 to {SCHEDULE_TIMES_MAX} cron expressions and intervals, not {count}"
            ));
        }
        let zone = TimeZone::get(&spec.time_zone).map_err(|_| {
            format!(
                "{:?} is no time zone; one is named as in the IANA database: \"Europe/Berlin\"",
                spec.time_zone
            )
        })?;
        let times = spec.times.iter().map(Time::new).collect::<Result<_, _>>()?;
        let salt = name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
        });
        let (from, until) = (spec.from_ms.unwrap_or_default(), spec.until_ms);
        Ok(Self { times, zone, from, until, jitter_ms: spec.jitter_ms, salt })
    }

    /// The first time after `moment`; none when there is none any more.
    #[must_use]
    pub fn after(&self, moment: Millis) -> Option<Millis> {
        let moment = moment.max(self.from.saturating_sub(1));
        let next = self.times.iter().filter_map(|it| it.after(moment, &self.zone)).min()?;
        self.until.is_none_or(|until| next < until).then_some(next)
    }

    /// When the start of the time `slot` is made: at that time, or as much later as the jitter says.
    #[must_use]
    pub fn start_of(&self, slot: Millis) -> Millis {
        if self.jitter_ms == 0 {
            return slot;
        }
        let room = self.after(slot).map_or(u64::MAX, |next| next - slot - 1);
        let most = self.jitter_ms.min(room);
        slot + mix(self.salt ^ slot) % most.saturating_add(1).max(1)
    }
}

impl Time {
    fn new(times: &Times) -> Result<Self, String> {
        match times {
            Times::Cron(expression) => expression.parse::<Cron>().map(|it| Self::Cron(Box::new(it))).map_err(|error| {
                format!(
                    "{expression:?} is no cron expression ({error}); one has five fields, minute, hour, day of the month, \
                     month and day of the week: \"0 9 * * MON-FRI\""
                )
            }),
            Times::Every { every_ms, .. } if *every_ms < SCHEDULE_EVERY_MIN_MS => {
                Err(format!("an interval of a schedule is at least {SCHEDULE_EVERY_MIN_MS} ms, not {every_ms}"))
            }
            Times::Every { every_ms, offset_ms } => {
                Ok(Self::Every { every_ms: *every_ms, offset_ms: *offset_ms % *every_ms })
            }
        }
    }

    fn after(&self, moment: Millis, zone: &TimeZone) -> Option<Millis> {
        match self {
            Self::Every { every_ms, offset_ms } => match moment.checked_sub(*offset_ms) {
                None => Some(*offset_ms),
                Some(since) => {
                    (since / every_ms).checked_add(1)?.checked_mul(*every_ms)?.checked_add(*offset_ms)
                }
            },
            Self::Cron(cron) => {
                // Expressions know whole seconds.
                let second = i64::try_from(moment / 1_000).ok()?;
                let start = Timestamp::from_second(second).ok()?.to_zoned(zone.clone());
                let next = cron.find_next_occurrence(&start, false).ok()?;
                u64::try_from(next.timestamp().as_millisecond()).ok()
            }
        }
    }
}

/// The finalizer of splitmix64.
const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A moment as people write it: `2030-01-01T09:00:00Z`.
#[must_use]
pub fn written(moment: Millis) -> String {
    let moment = i64::try_from(moment).ok().and_then(|it| Timestamp::from_millisecond(it).ok());
    moment.map_or_else(String::new, |it| it.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use eventual_schema::HandlerName;
    use serde_json::Value;

    fn spec(zone: &str, times: &[Times]) -> ScheduleSpec {
        let workflow = HandlerName::new("report").unwrap();
        ScheduleSpec { time_zone: zone.into(), ..ScheduleSpec::new(workflow, Value::Null, times.to_vec()) }
    }

    fn cron(zone: &str, expression: &str) -> Timetable {
        Timetable::new("nightly", &spec(zone, &[Times::Cron(expression.into())])).unwrap()
    }

    fn at(text: &str) -> Millis {
        text.parse::<Timestamp>().unwrap().as_millisecond().try_into().unwrap()
    }

    fn following(table: &Timetable, from: &str, count: usize) -> Vec<String> {
        let mut moment = at(from);
        let mut found = Vec::new();
        for _ in 0..count {
            let Some(next) = table.after(moment) else { break };
            found.push(written(next));
            moment = next;
        }
        found
    }

    #[test]
    fn nine_in_the_morning_is_nine_in_the_morning_all_year() {
        let table = cron("Europe/Berlin", "0 9 * * *");
        assert_eq!(
            following(&table, "2030-03-29T12:00:00Z", 3),
            ["2030-03-30T08:00:00Z", "2030-03-31T07:00:00Z", "2030-04-01T07:00:00Z"]
        );
        let mut moment = at("2030-01-01T00:00:00Z");
        let mut days = 0;
        while let Some(next) = table.after(moment).filter(|it| *it < at("2031-01-01T00:00:00Z")) {
            assert!(next - moment <= 26 * 3_600_000, "a day was lost before {}", written(next));
            (moment, days) = (next, days + 1);
        }
        assert_eq!(days, 365);
    }

    #[test]
    fn a_time_that_does_not_exist_is_after_the_gap_and_one_that_is_there_twice_counts_once() {
        // 2030-03-31, 02:00 becomes 03:00; 2030-10-27, 03:00 becomes 02:00.
        let table = cron("Europe/Berlin", "30 2 * * *");
        assert_eq!(
            following(&table, "2030-03-30T12:00:00Z", 2),
            ["2030-03-31T01:00:00Z", "2030-04-01T00:30:00Z"]
        );
        assert_eq!(
            following(&table, "2030-10-26T12:00:00Z", 2),
            ["2030-10-27T00:30:00Z", "2030-10-28T01:30:00Z"]
        );
        let often = cron("Europe/Berlin", "*/30 * * * *");
        assert_eq!(
            following(&often, "2030-10-27T00:00:00Z", 48 + 4).len(),
            52,
            "every half hour, also twice"
        );
        assert_eq!(
            following(&often, "2030-03-31T00:15:00Z", 3),
            ["2030-03-31T00:30:00Z", "2030-03-31T01:00:00Z", "2030-03-31T01:30:00Z"]
        );
    }

    #[test]
    fn milliseconds_lose_nothing() {
        let table = cron("UTC", "0 9 * * *");
        assert_eq!(table.after(at("2030-01-01T08:59:59.500Z")), Some(at("2030-01-01T09:00:00Z")));
        assert_eq!(table.after(at("2030-01-01T09:00:00Z")), Some(at("2030-01-02T09:00:00Z")));
        assert_eq!(table.after(at("2030-01-01T09:00:00.001Z")), Some(at("2030-01-02T09:00:00Z")));
    }

    #[test]
    fn intervals_and_crons_go_together_within_their_bounds() {
        let times =
            [Times::Every { every_ms: 3_600_000, offset_ms: 60_000 }, Times::Cron("0 0 29 2 *".into())];
        let mut spec = spec("UTC", &times);
        spec.from_ms = Some(at("2032-02-28T23:01:00Z"));
        spec.until_ms = Some(at("2032-02-29T01:01:00Z"));
        let table = Timetable::new("x", &spec).unwrap();
        assert_eq!(
            following(&table, "2030-01-01T00:00:00Z", 9),
            ["2032-02-28T23:01:00Z", "2032-02-29T00:00:00Z", "2032-02-29T00:01:00Z"]
        );
    }

    #[test]
    fn jitter_stays_before_the_next_time_and_differs_by_name() {
        let every = Times::Every { every_ms: 10_000, offset_ms: 0 };
        let spec = ScheduleSpec { jitter_ms: 60_000, ..spec("UTC", &[every]) };
        let (one, two) = (Timetable::new("one", &spec).unwrap(), Timetable::new("two", &spec).unwrap());
        let starts: Vec<Millis> = (1..200).map(|it| one.start_of(it * 10_000)).collect();
        assert!(
            starts.iter().zip(1..).all(|(start, slot)| (slot * 10_000..(slot + 1) * 10_000).contains(start))
        );
        assert!(starts.iter().zip(1..).any(|(start, slot)| *start > slot * 10_000 + 5_000));
        assert!((1..200).any(|it| one.start_of(it * 10_000) != two.start_of(it * 10_000)));
    }

    #[test]
    fn what_is_wrong_is_told() {
        let broken = |spec: &ScheduleSpec| Timetable::new("x", spec).unwrap_err();
        assert!(broken(&spec("Europe/Belrin", &[Times::Cron("0 9 * * *".into())])).contains("Europe/Berlin"));
        assert!(broken(&spec("UTC", &[Times::Cron("0 25 * * *".into())])).contains("0 25 * * *"));
        assert!(broken(&spec("UTC", &[Times::Every { every_ms: 10, offset_ms: 0 }])).contains("1000"));
        assert!(broken(&spec("UTC", &[])).contains("32"));
        assert_eq!(cron("UTC", "0 0 30 2 *").after(at("2030-01-01T00:00:00Z")), None, "never");
    }
}
