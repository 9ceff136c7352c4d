//! What a service does every day, as tests of users would check it: tasks and mocks, sleeping, messages, records of ends,
//! limits, answers from elsewhere, whole journeys. `SCENARIOS.md` says which scenario each test shows.

mod answers;
mod journeys;
mod limits;
mod messages;
mod records;
mod sleeping;
mod starting;
mod tasks;
