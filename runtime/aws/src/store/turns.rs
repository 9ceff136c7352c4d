//! Reads turns and commits them. Where a turn belongs, and why nobody else can commit it elsewhere, is said in `place.rs`.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use eventual_core::{ExecutionId, Millis, Turn};
use eventual_engine::codec;
use eventual_engine::ports::{Clock, Commit, Fault};
use eventual_schema::deploy::table;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::item::{self, Item, names, number, text, turn_key};
use super::place::{self, ITEM_TURNS_MAX, LAST, Place, ROOM, Stored, TURNS};
use super::{DynamoStore, FETCHES, INLINE_MAX, Written, now_s, written};
use crate::clock::SystemClock;
use crate::fault;
use crate::spill::Kept;

/// The turns of one reading.
#[derive(Default)]
struct Reading {
    turns: Vec<Turn>,
    /// The last turn that is known to be there.
    reached: Option<u64>,
    /// After which turns some are missing.
    gaps: Vec<u64>,
    /// Where the last turn is.
    place: Option<Place>,
}

/// Where the turn before another one is.
enum Before {
    At(Place),
    Nowhere,
    /// In an item that has the other one, too.
    Passed(Stored),
}

impl DynamoStore {
    /// The turns above `after`, in order.
    pub(super) async fn turns_after(&self, id: &ExecutionId, after: u64) -> Result<Vec<Turn>, Fault> {
        let mut gaps = Vec::new();
        loop {
            let reading = self.read_after(id, after).await?;
            if reading.gaps == gaps {
                return Ok(reading.turns);
            }
            gaps = reading.gaps;
        }
    }

    async fn read_after(&self, id: &ExecutionId, after: u64) -> Result<Reading, Fault> {
        let asked = SystemClock.now();
        let mut reading = Reading::default();
        let from = match self.places.of(id, after, asked) {
            Some(place) if place.room => place.first,
            Some(_) => {
                reading.reached = Some(after);
                after.saturating_add(1)
            }
            None => after.saturating_add(2).saturating_sub(ITEM_TURNS_MAX),
        };
        let mut start = None;
        loop {
            let (items, next) = self.turn_page(id, from, start).await?;
            let mut kept = Vec::new();
            for item in &items {
                let stored = whole(id, item)?;
                reading.follow(id, &stored)?;
                let numbered = (stored.first..).zip(stored.bodies);
                kept.extend(numbered.filter(|(number, _)| *number > after));
            }
            let page: Vec<Turn> = stream::iter(kept)
                .map(|(number, kept)| self.open_turn(id, number, kept))
                .buffered(FETCHES)
                .try_collect()
                .await?;
            reading.turns.extend(page);
            match next {
                Some(key) => start = Some(key),
                None => break,
            }
        }
        match reading.place {
            Some(place) => self.places.learn(id, place, asked),
            // What was looked for was not there; else only nothing after it.
            None if from <= after => self.places.forget(id),
            None => {}
        }
        Ok(reading)
    }

    /// One page of the items of turns from turn `from` on, and where the next page starts.
    async fn turn_page(
        &self,
        id: &ExecutionId,
        from: u64,
        start: Option<Item>,
    ) -> Result<(Vec<Item>, Option<Item>), Fault> {
        let page = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("#execution = :execution AND #item BETWEEN :first AND :last")
            .set_expression_attribute_names(names(&[
                ("#execution", table::PARTITION),
                ("#item", table::SORT),
            ]))
            .expression_attribute_values(":execution", text(id.as_str()))
            .expression_attribute_values(":first", text(turn_key(from)))
            .expression_attribute_values(":last", text(turn_key(u64::MAX)))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| fault::aws(format!("dynamodb Query turns of {id} from {from}"), &error))?;
        let now = now_s();
        let items = page.items.unwrap_or_default().into_iter().filter(|it| !item::expired(it, now)).collect();
        Ok((items, page.last_evaluated_key))
    }

    async fn open_turn(&self, id: &ExecutionId, number: u64, kept: Kept) -> Result<Turn, Fault> {
        let operation = || format!("dynamodb: turn {number} of {id}");
        let text = self.spill.open(kept).await?;
        let turn = codec::decode_turn(text.as_bytes()).map_err(|error| Fault::new(operation(), error))?;
        if turn.number == number {
            Ok(turn)
        } else {
            Err(Fault::new(operation(), format!("turn {} is in its place", turn.number)))
        }
    }

    /// Writes a turn, if its number is free.
    pub(super) async fn commit_turn(&self, id: &ExecutionId, turn: &Turn) -> Result<Commit, Fault> {
        let (asked, number, ends) = (SystemClock.now(), turn.number, turn.end.is_some());
        let body = self.spill.keep(id, codec::encode_turn(turn), INLINE_MAX).await?;
        let expires = ends.then(|| now_s() + self.retention_s);
        let before = match self.before(id, number, asked).await? {
            Before::At(place) => Some(place),
            Before::Nowhere => None,
            Before::Passed(stored) => return Ok(ours(&stored, number, &body)),
        };
        let (place, answer) = match before.filter(|it| it.room) {
            Some(before) => {
                let place = before.appended(&body, ends);
                (place, self.append(id, place, body.clone(), expires).await?)
            }
            None => {
                let place = Place::beginning(id, number, &body, ends);
                let item = place::beginning(id, place, body.clone(), expires);
                let operation = || format!("dynamodb PutItem {} of {id}", turn_key(number));
                (place, written(operation, self.put_if_free(item).send().await)?)
            }
        };
        let there = match answer {
            Written::Yes => {
                self.places.learn(id, place, asked);
                return Ok(Commit::Written);
            }
            Written::No(there) => Some(there).filter(|it| !item::expired(it, now_s())),
        };
        Ok(match there.as_ref().and_then(Stored::of) {
            Some(stored) => {
                self.places.learn(id, stored.place(id), asked);
                ours(&stored, number, &body)
            }
            None => {
                self.places.forget(id);
                Commit::Taken
            }
        })
    }

    /// Where the turn before turn `turn` is: as remembered, or as the store says.
    async fn before(&self, id: &ExecutionId, turn: u64, asked: Millis) -> Result<Before, Fault> {
        let before = turn.saturating_sub(1);
        if before == 0 {
            return Ok(Before::Nowhere);
        }
        if let Some(place) = self.places.of(id, before, asked) {
            return Ok(Before::At(place));
        }
        let Some(item) = self.item_of(id, before).await? else { return Ok(Before::Nowhere) };
        let stored = whole(id, &item)?;
        self.places.learn(id, stored.place(id), asked);
        Ok(match stored.last() {
            last if last < before => Before::Nowhere,
            last if last == before => Before::At(stored.place(id)),
            _ => Before::Passed(stored),
        })
    }

    /// The item that has turn `turn`, if it is there; else one that may end before it.
    async fn item_of(&self, id: &ExecutionId, turn: u64) -> Result<Option<Item>, Fault> {
        let first = turn.saturating_add(1).saturating_sub(ITEM_TURNS_MAX);
        let mut start = None;
        loop {
            // One at a time: turns may be large, and only where a name was used before has the first one expired.
            let page = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .scan_index_forward(false)
                .limit(1)
                .key_condition_expression("#execution = :execution AND #item BETWEEN :first AND :last")
                .set_expression_attribute_names(names(&[
                    ("#execution", table::PARTITION),
                    ("#item", table::SORT),
                ]))
                .expression_attribute_values(":execution", text(id.as_str()))
                .expression_attribute_values(":first", text(turn_key(first)))
                .expression_attribute_values(":last", text(turn_key(turn)))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| fault::aws(format!("dynamodb Query turn {turn} of {id}"), &error))?;
            let now = now_s();
            let found = page.items.unwrap_or_default().into_iter().find(|it| !item::expired(it, now));
            match (found, page.last_evaluated_key) {
                (None, Some(key)) => start = Some(key),
                (found, _) => return Ok(found),
            }
        }
    }

    /// Appends the turn that is the last of `place` to the item there, if that has room for it.
    async fn append(
        &self,
        id: &ExecutionId,
        place: Place,
        body: Kept,
        expires: Option<u64>,
    ) -> Result<Written, Fault> {
        let mut update = "SET #turns = list_append(#turns, :turn), #last = :last".to_owned();
        let mut request = self.client.update_item();
        if let Some(expires) = expires {
            update.push_str(", #expires = :expires");
            request = request.expression_attribute_values(":expires", number(expires));
        }
        if !place.room {
            update.push_str(" REMOVE #room");
        }
        let key = turn_key(place.first);
        let answer = request
            .table_name(&self.table)
            .key(table::PARTITION, text(id.as_str()))
            .key(table::SORT, text(&key))
            .update_expression(update)
            .condition_expression(
                "#last = :before AND #room = :yes AND (attribute_not_exists(#expires) OR #expires >= :now)",
            )
            .set_expression_attribute_names(names(&[
                ("#turns", TURNS),
                ("#last", LAST),
                ("#room", ROOM),
                ("#expires", table::EXPIRES),
            ]))
            .expression_attribute_values(":turn", place::list_of(body))
            .expression_attribute_values(":last", number(place.last))
            .expression_attribute_values(":before", number(place.last.saturating_sub(1)))
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(":now", number(now_s()))
            .return_values_on_condition_check_failure(AllOld)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(Written::Yes),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                    Ok(Written::No(refused.item.clone().unwrap_or_default()))
                }
                _ => {
                    let operation = format!("dynamodb UpdateItem {key} of {id} with turn {}", place.last);
                    Err(fault::aws(operation, &error))
                }
            },
        }
    }
}

impl Reading {
    /// Goes on with the next item.
    fn follow(&mut self, id: &ExecutionId, stored: &Stored) -> Result<(), Fault> {
        match self.reached {
            Some(reached) if stored.first <= reached => {
                let operation = format!("dynamodb: {} of {id}", turn_key(stored.first));
                return Err(Fault::new(operation, format!("turn {reached} is in the item before it, too")));
            }
            Some(reached) if stored.first > reached + 1 => self.gaps.push(reached),
            _ => {}
        }
        self.reached = Some(stored.last());
        self.place = Some(stored.place(id));
        Ok(())
    }
}

/// What an item of turns holds.
fn whole(id: &ExecutionId, item: &Item) -> Result<Stored, Fault> {
    Stored::of(item).ok_or_else(|| {
        let problem = "the item has neither a body nor all of its turns: newer code may have written it";
        Fault::new(format!("dynamodb: {} of {id}", item::sort(item)), problem)
    })
}

/// Whether a turn that is there is the one that was to be written.
fn ours(there: &Stored, turn: u64, body: &Kept) -> Commit {
    if there.body(turn) == Some(body) { Commit::Written } else { Commit::Taken }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An item of turns with the first and the last of these numbers.
    fn item_of(first: u64, last: u64) -> Stored {
        let id = ExecutionId::new("w", "n").unwrap();
        let body = || Kept::Inline("{}".into());
        let place = Place::beginning(&id, first, &body(), false);
        let mut item = place::beginning(&id, place, body(), None);
        let bodies = (first..=last).map(|_| place::list_of(body()).as_l().unwrap()[0].clone());
        item.insert(TURNS.to_owned(), AttributeValue::L(bodies.collect()));
        item.insert(LAST.to_owned(), number(last));
        Stored::of(&item).unwrap()
    }

    /// A query is no snapshot: what was appended to an item after it was read is missing before what came next.
    #[test]
    fn turns_that_are_missing_in_the_middle_are_noticed() {
        let id = ExecutionId::new("w", "n").unwrap();
        let gaps = |after: Option<u64>, items: &[(u64, u64)]| {
            let mut reading = Reading { reached: after, ..Reading::default() };
            for (first, last) in items {
                reading.follow(&id, &item_of(*first, *last))?;
            }
            Ok::<_, Fault>(reading.gaps)
        };
        assert_eq!(gaps(None, &[(1, 3), (4, 4), (5, 9)]).unwrap(), [0; 0]);
        assert_eq!(gaps(None, &[(1, 2), (4, 4)]).unwrap(), [2]);
        assert_eq!(
            gaps(None, &[(20, 23)]).unwrap(),
            [0; 0],
            "those before were dropped, or are not asked for"
        );
        assert_eq!(gaps(Some(6), &[(7, 8), (9, 9)]).unwrap(), [0; 0]);
        assert_eq!(gaps(Some(6), &[(8, 8), (10, 11)]).unwrap(), [6, 8]);
        let twice = gaps(None, &[(1, 3), (3, 4)]).unwrap_err().to_string();
        assert!(twice.contains("turn#0000000003") && twice.contains("turn 3"), "{twice}");
    }
}
