//! Where a turn belongs: several small ones share an item, so that an execution that ends gives an expiry to few items.
//! Deliberately asks nothing of DynamoDB: `turns.rs` does, with what is decided here.
//!
//! **The items.** The sort key of an item of turns is the number of its *first* turn. It has the texts of its turns in the list
//! `turns`, the number of the last of them as `last`, and `room = true` when the turn after `last` belongs into it, too. Items of
//! before have one turn as `body` (or `spilled`), and never room. The two have no attribute in common, so that code of before fails
//! at what this writes ("the item has no body") instead of going on with a part of the history.
//!
//! **Where turn n goes** has to be the same for all who may commit it, or the condition of the write that keeps two of
//! them apart is not the same condition. So nobody decides it who commits turn n: whoever commits turn n-1 has decided it, with
//! the very write that made turn n-1 true. With room, turn n is appended to the item of turn n-1, if that still ends with n-1 and
//! has room. Without, it begins an item whose key is its number, if there is none. Both conditions are of one item, and
//! whoever knows where turn n-1 is asks the same of the same item as everybody else. How much room there is may
//! change from one version of the code to the next; both obey what is written. Only [`ITEM_TURNS_MAX`] may not grow without
//! thought: readers look so far back.
//!
//! **How much room.** A write is billed by the larger size of the item before and after, in units of 1 KB. An item has room as long as
//! one more turn of the size of its last leaves it within one unit, its expiry included. A turn that is larger than that is
//! appended all the same, because it was promised, and is the last of the item. After a turn that was spilled there is no
//! room, nor after the end of an execution.
//!
//! **Memory.** A process remembers where the last turn is that it saw (`places.rs`), and asks when it does not. What it remembers
//! stays true, whoever goes on meanwhile: an item changes `room` only together with `last`, and an item that is no longer the
//! last never changes but for its expiry. A process that is behind meets the turn that it did not see: the item has another `last`,
//! or the key is taken. What could make a memory wrong is a later execution of the same name. With room that is harmless,
//! because the condition tells whether the item is as remembered. Without, the turn would begin an item beside one
//! that the others append to. So what is remembered is believed for half an hour only, and a name is free an hour after the
//! turns have expired at the earliest. A machine in the engine's memory may be older than that; it costs one query then.
//!
//! **Answers that were lost.** A write that is sent again is refused by what it wrote itself. The refusal brings the item, and
//! turn n in it tells whether it is ours, wherever others have gone on to. The same goes for whoever looks for turn n-1 and finds
//! turn n.
//!
//! **Forks.** The first turn that a fork copies may have a number above 1 and nothing before it. Then it begins an item, as all see who
//! look. So does a turn after a gap.
//!
//! **A name that is used again.** What has expired is not there: neither for who looks for the last turn, nor for conditions. A new
//! turn replaces what has expired under its key.
//!
//! **Turns that code which continued as new needs no more** are dropped by item, when all turns of it are superseded. The last item
//! of an execution never is. Readers who ask for later turns only drop what comes before them.
//!
//! **Reading.** DynamoDB does not promise that a query sees all its items at one moment. When it has read an item that has room, another
//! process may append to it and begin the next one, which the query then finds: a turn would be missing in the middle. So whoever
//! reads looks for gaps, and reads again until the gaps are the same.
//!
//! **Deployments.** Processes of before this and of now may meet while a service is deployed. Where all is of before, they race for
//! the same keys. What the new ones have written, the old ones cannot read, and do not advance: their messages come again
//! and are handled by new ones. Nothing guards executions that continued as new, where the old ones ask for later turns only and
//! may not see an item that began before.

use aws_sdk_dynamodb::types::AttributeValue;
use eventual_core::ExecutionId;
use eventual_schema::deploy::table;

use super::item::{self, Item, SPILLED, keyed, number, text, turn_key};
use crate::spill::Kept;

/// Most turns of an item. Readers look for turn n in items that begin at most so many turns before it, so that code which
/// writes more can be deployed only after code which looks further back.
pub(super) const ITEM_TURNS_MAX: u64 = 8;
/// Attribute of items of turns, a list: the texts of the turns, or maps with [`SPILLED`].
pub(super) const TURNS: &str = "turns";
/// Attribute of items of turns, a number: that of the last turn.
pub(super) const LAST: &str = "last";
/// Attribute of items of turns, true or absent: whether the turn after the last belongs into the item.
pub(super) const ROOM: &str = "room";

/// Largest item that is written for one unit, in bytes.
const UNIT_BYTES: usize = 1_024;
/// What DynamoDB takes for a number of ten digits, in bytes: one for two digits, and one.
const NUMBER_BYTES: usize = 6;
/// What it takes for a list or map beside its members, and for each member.
const LIST_BYTES: usize = 3;
const MEMBER_BYTES: usize = 1;

/// Where the last turn of an execution is, and whether the next one belongs there, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The first turn of the item, which its key names.
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) room: bool,
    /// Size of the item as DynamoDB counts, with room and expiry.
    bytes: usize,
}

impl Place {
    /// The place of a turn that begins an item; `ends` when nothing comes after it.
    pub(super) fn beginning(id: &ExecutionId, turn: u64, body: &Kept, ends: bool) -> Self {
        let none = Self { first: turn, last: turn.saturating_sub(1), room: false, bytes: bytes_around(id) };
        none.appended(body, ends)
    }

    /// The place of the turn after this one's last, in the same item.
    pub(super) fn appended(self, body: &Kept, ends: bool) -> Self {
        let (last, bytes) = (self.last + 1, self.bytes + bytes_of(body));
        let small = matches!(body, Kept::Inline(_)) && bytes + bytes_of(body) <= UNIT_BYTES;
        let room = small && !ends && last - self.first + 1 < ITEM_TURNS_MAX;
        Self { last, room, bytes, ..self }
    }
}

/// Size of an item of turns without its turns.
fn bytes_around(id: &ExecutionId) -> usize {
    let key = table::PARTITION.len() + id.as_str().len() + table::SORT.len() + turn_key(1).len();
    let numbers = LAST.len() + table::EXPIRES.len() + 2 * NUMBER_BYTES;
    key + numbers + TURNS.len() + LIST_BYTES + ROOM.len() + 1
}

/// Size of a turn within its item.
fn bytes_of(body: &Kept) -> usize {
    match body {
        Kept::Inline(text) => MEMBER_BYTES + text.len(),
        Kept::Spilled(key) => 2 * MEMBER_BYTES + LIST_BYTES + SPILLED.len() + key.len(),
    }
}

/// What an item of turns holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) first: u64,
    /// The turns, or where they are; at least one.
    pub(super) bodies: Vec<Kept>,
    room: bool,
}

impl Stored {
    /// Reads an item; `None` when it is not an item of turns, or not a whole one.
    pub(super) fn of(item: &Item) -> Option<Self> {
        let first = item::sort(item).strip_prefix(table::TURN_PREFIX)?.parse().ok()?;
        let Some(turns) = item.get(TURNS) else {
            return Some(Self { first, bodies: vec![item::body(item)?], room: false });
        };
        let bodies: Vec<Kept> = turns.as_l().ok()?.iter().map(kept).collect::<Option<_>>()?;
        let room = item.get(ROOM).and_then(|it| it.as_bool().ok()).copied().unwrap_or_default();
        let last: u64 = item.get(LAST)?.as_n().ok()?.parse().ok()?;
        let stored = Self { first, bodies, room };
        (!stored.bodies.is_empty() && stored.last() == last).then_some(stored)
    }

    /// The number of the last turn.
    pub(super) fn last(&self) -> u64 {
        self.first + self.bodies.len() as u64 - 1
    }

    /// A turn, by its number.
    pub(super) fn body(&self, turn: u64) -> Option<&Kept> {
        let index = turn.checked_sub(self.first)?;
        self.bodies.get(usize::try_from(index).ok()?)
    }

    /// The place of the last turn.
    pub(super) fn place(&self, id: &ExecutionId) -> Place {
        let bytes = bytes_around(id) + self.bodies.iter().map(bytes_of).sum::<usize>();
        Place { first: self.first, last: self.last(), room: self.room, bytes }
    }
}

/// The item of a turn that begins one; `expires` in seconds since 1970.
pub(super) fn beginning(id: &ExecutionId, place: Place, body: Kept, expires: Option<u64>) -> Item {
    let mut item = keyed(id, &turn_key(place.first));
    item.insert(TURNS.to_owned(), list_of(body));
    item.insert(LAST.to_owned(), number(place.last));
    if place.room {
        item.insert(ROOM.to_owned(), AttributeValue::Bool(true));
    }
    if let Some(expires) = expires {
        item.insert(table::EXPIRES.to_owned(), number(expires));
    }
    item
}

/// A turn as a list of one.
pub(super) fn list_of(body: Kept) -> AttributeValue {
    AttributeValue::L(vec![match body {
        Kept::Inline(body) => text(body),
        Kept::Spilled(key) => AttributeValue::M([(SPILLED.to_owned(), text(key))].into()),
    }])
}

fn kept(value: &AttributeValue) -> Option<Kept> {
    match value {
        AttributeValue::S(body) => Some(Kept::Inline(body.clone())),
        AttributeValue::M(map) => Some(Kept::Spilled(map.get(SPILLED)?.as_s().ok()?.clone())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> ExecutionId {
        ExecutionId::new("w", "n").unwrap()
    }

    fn inline(bytes: usize) -> Kept {
        Kept::Inline("x".repeat(bytes))
    }

    fn stored(place: Place, bodies: Vec<Kept>) -> Stored {
        Stored { first: place.first, bodies, room: place.room }
    }

    #[test]
    fn an_item_has_room_within_one_unit() {
        // execution w/n, item turn#0000000001, turns [], last and expires, room: 9+3 + 4+15 + 5+3 + 4+6 + 7+6 + 4+1.
        assert_eq!(bytes_around(&id()), 67);
        let one = Place::beginning(&id(), 1, &inline(477), false);
        assert_eq!((one.bytes, one.room), (545, true), "another one makes it 1,023");
        assert!(!Place::beginning(&id(), 1, &inline(478), false).appended(&inline(478), false).room);
        assert!(!Place::beginning(&id(), 1, &inline(479), false).room);
        assert!(!Place::beginning(&id(), 1, &inline(10), true).room, "nothing comes after the end");
        let spilled = Kept::Spilled("key".into());
        assert!(!Place::beginning(&id(), 1, &spilled, false).room);
        let (large, after) = (one.appended(&inline(5_000), false), one.appended(&inline(1), false));
        assert_eq!((large.first, large.last, large.room), (1, 2, false), "it was promised");
        assert!(after.room, "the last was small");
    }

    #[test]
    fn an_item_has_at_most_so_many_turns() {
        let mut place = Place::beginning(&id(), 5, &inline(1), false);
        while place.room {
            place = place.appended(&inline(1), false);
        }
        assert_eq!((place.first, place.last), (5, 4 + ITEM_TURNS_MAX));
    }

    #[test]
    fn what_is_written_is_read() {
        let (one, two) = (inline(9), Kept::Spilled("key".into()));
        let place = Place::beginning(&id(), 7, &one, false);
        let mut item = beginning(&id(), place, one.clone(), Some(8));
        let read = Stored::of(&item).unwrap();
        assert_eq!(read, stored(place, vec![one.clone()]));
        assert_eq!(read.place(&id()), place);
        let place = place.appended(&two, false);
        let both = [one.clone(), two.clone()].map(|it| list_of(it).as_l().unwrap()[0].clone());
        item.insert(TURNS.to_owned(), AttributeValue::L(both.into()));
        assert_eq!(Stored::of(&item), None, "it says that it ends with turn 7");
        item.insert(LAST.to_owned(), number(8));
        item.remove(ROOM);
        let read = Stored::of(&item).unwrap();
        assert_eq!(read.place(&id()), place);
        assert_eq!([6, 7, 8, 9].map(|it| read.body(it)), [None, Some(&one), Some(&two), None]);
    }

    #[test]
    fn items_of_before_are_one_turn_without_room() {
        let mut item = keyed(&id(), &turn_key(3));
        assert_eq!(Stored::of(&item), None);
        item.insert(item::BODY.to_owned(), text("{}"));
        let read = Stored::of(&item).unwrap();
        assert_eq!((read.first, read.last(), read.place(&id()).room), (3, 3, false));
        assert_eq!(read.body(3), Some(&Kept::Inline("{}".into())));
        assert_eq!(Stored::of(&keyed(&id(), table::META)), None);
    }
}
