//! What goes in and out of the service.

use eventual::Failure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A delivery as it stands at the door.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Delivery {
    /// Number on the papers.
    pub id: String,
    /// What is in it, in the order of stowing.
    pub pallets: Vec<Pallet>,
}

/// Boxes of one item.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Pallet {
    /// The item.
    pub sku: String,
    /// How many boxes.
    pub boxes: u32,
}

/// Names a delivery.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryRef {
    /// Number on the papers.
    pub id: String,
}

/// A delivery was taken in.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Received {
    /// The execution that stows it.
    pub execution: String,
}

/// How far a delivery is.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryView {
    /// Status of the execution.
    pub status: String,
    /// What came of it, once it has ended.
    pub report: Option<StowReport>,
}

/// What came of a delivery.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct StowReport {
    /// Pallet by pallet.
    pub stowed: Vec<Stowed>,
    /// What all of it weighs.
    pub total_grams: u64,
}

/// A pallet in its place.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Stowed {
    /// The item.
    pub sku: String,
    /// What it weighs.
    pub grams: u64,
    /// What its label says.
    pub label: String,
}

/// Asks for shelves.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Shelves {
    /// The aisle.
    pub aisle: String,
    /// At most so many; ten without.
    pub limit: Option<u32>,
}

/// A shelf.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Shelf {
    /// Its aisle.
    pub aisle: String,
    /// Its height, from the floor.
    pub level: u32,
}

/// Part of a list.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Page<T> {
    /// In the list's order.
    pub items: Vec<T>,
    /// Where the next part starts; absent at the end.
    pub next: Option<String>,
}

/// Something that is stored.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    /// Stock-keeping unit.
    pub sku: String,
    /// Outer size.
    pub size: Size,
    /// What it asks for.
    pub kind: Kind,
    /// What people should know.
    #[serde(default)]
    pub note: Option<String>,
}

/// Outer size of a box.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub struct Size {
    /// Left to right.
    #[schemars(range(min = 1, max = 5000))]
    pub width_mm: u32,
    /// Bottom to top.
    #[schemars(range(min = 1, max = 5000))]
    pub height_mm: u32,
    /// Front to back.
    #[schemars(range(min = 1, max = 5000))]
    pub depth_mm: u32,
}

impl Size {
    /// The volume, rounded down.
    #[must_use]
    pub fn litres(self) -> u64 {
        u64::from(self.width_mm) * u64::from(self.height_mm) * u64::from(self.depth_mm) / 1_000_000
    }
}

/// What an item asks for.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Kind {
    /// Nothing special.
    Dry,
    /// Cold.
    Frozen {
        /// At most so warm.
        celsius: i32,
    },
    /// Trained people.
    Hazardous {
        /// Class of the hazard.
        class: u8,
    },
}

/// An item, described.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ItemView {
    /// Stock-keeping unit.
    pub sku: String,
    /// Volume.
    pub litres: u64,
    /// For the shelf.
    pub label: String,
    /// What people should know.
    pub note: Option<String>,
}

/// A unit of weight.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Unit {
    /// The smallest.
    Gram,
    /// A thousand of them.
    Kilogram,
    /// A thousand of those.
    Ton,
}

impl Unit {
    /// Its weight.
    #[must_use]
    pub const fn grams(self) -> i64 {
        match self {
            Self::Gram => 1,
            Self::Kilogram => 1000,
            Self::Ton => 1_000_000,
        }
    }
}

/// Asks for a weight in another unit.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub struct Convert {
    /// The weight.
    pub value: i64,
    /// Its unit.
    pub from: Unit,
    /// The unit wanted.
    pub to: Unit,
}

/// Asks for what is older.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub struct Before {
    /// Days since 1970.
    pub before_day: u32,
}

/// Why the warehouse says no.
#[derive(Debug, thiserror::Error, Serialize, Deserialize, JsonSchema, Failure)]
pub enum WarehouseError {
    /// A weight below nothing.
    #[error("{value} is below nothing")]
    #[failure(status = 422)]
    Negative {
        /// The weight.
        value: i64,
    },
    /// It is stowed already.
    #[error("delivery {0} is stowed already")]
    #[failure(status = 409)]
    TooLate(String),
    /// Something that it called failed.
    #[error(transparent)]
    #[failure(call)]
    Call(eventual::Error),
}
