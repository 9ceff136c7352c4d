//! A warehouse: deliveries are stowed pallet by pallet, shelves and items are looked at. It has no state of its own: what there is to
//! see here is the shape of commands, and of a workflow that works through a list.

mod types;

use std::time::Duration;

use futures_util::join;

pub use types::{
    Before, Convert, Delivery, DeliveryRef, DeliveryView, Item, ItemView, Kind, Page, Pallet, Received,
    Shelf, Shelves, Size, StowReport, Stowed, Unit, WarehouseError,
};

// --- deliveries ---------------------------------------------------------------------------------------------------------

/// Takes a delivery in; stowing it goes on behind the scenes.
#[eventual::command(method = POST, path = "/deliveries", uses(stow_delivery))]
pub async fn receive_delivery(delivery: Delivery) -> Result<Received, WarehouseError> {
    let id = delivery.id.clone();
    let execution = stow_delivery(delivery).start_as(&id).await?;
    Ok(Received { execution: execution.id().to_owned() })
}

/// Shows how far a delivery is.
#[eventual::command(method = GET, path = "/deliveries/{id}", uses(stow_delivery))]
pub async fn get_delivery(delivery: DeliveryRef) -> Result<DeliveryView, WarehouseError> {
    let state = stow_delivery::execution(&delivery.id)?.describe().await?;
    Ok(DeliveryView { status: state.status().to_owned(), report: state.result()? })
}

/// Stows pallet after pallet: each is weighed and labelled at the same time, then its aisle has a moment of peace.
#[eventual::workflow]
pub async fn stow_delivery(delivery: Delivery) -> Result<StowReport, WarehouseError> {
    let mut stowed = Vec::new();
    let mut total_grams = 0;
    for pallet in delivery.pallets {
        let sku = pallet.sku.clone();
        let (grams, label) = join!(weigh(pallet.clone()), label(pallet));
        let (grams, label) = (grams?, label?);
        total_grams += grams;
        stowed.push(Stowed { sku, grams, label });
        eventual::sleep(Duration::from_millis(200)).await?;
    }
    Ok(StowReport { stowed, total_grams })
}

/// Weighs a pallet, on a scale that is a machine of its own. An empty pallet weighs nothing.
#[eventual::task(timeout = "5s")]
pub async fn weigh(pallet: Pallet) -> u64 {
    u64::from(pallet.boxes) * 1000
}

/// Writes the label of a pallet.
#[eventual::task(inline)]
pub async fn label(pallet: Pallet) -> Result<String, WarehouseError> {
    Ok(format!("{} x {}", pallet.sku, pallet.boxes))
}

// --- shelves and items ----------------------------------------------------------------------------------------------------

/// Lists the shelves of an aisle, a page at a time.
#[eventual::command(method = GET, path = "/shelves/{aisle}")]
pub async fn list_shelves(shelves: Shelves) -> Result<Page<Shelf>, WarehouseError> {
    let limit = shelves.limit.unwrap_or(10);
    let items = (1..=limit).map(|level| Shelf { aisle: shelves.aisle.clone(), level }).collect();
    Ok(Page { items, next: Some(format!("{}-{}", shelves.aisle, limit + 1)) })
}

/// Describes an item: its volume, and what its kind asks for.
#[eventual::command]
pub async fn describe_item(item: Item) -> ItemView {
    let label = match item.kind {
        Kind::Dry => "dry".to_owned(),
        Kind::Frozen { celsius } => format!("frozen at {celsius}"),
        Kind::Hazardous { class } => format!("hazard {class}"),
    };
    ItemView { sku: item.sku, litres: item.size.litres(), label, note: item.note }
}

/// Converts a weight.
#[eventual::command]
pub async fn convert_weight(convert: Convert) -> Result<i64, WarehouseError> {
    if convert.value < 0 {
        return Err(WarehouseError::Negative { value: convert.value });
    }
    Ok(convert.value * convert.from.grams() / convert.to.grams())
}

/// Adds numbers up.
#[eventual::command]
pub async fn add_up(numbers: Vec<i64>) -> i64 {
    numbers.iter().sum()
}

/// Removes the blanks around a note.
#[eventual::command]
pub async fn trim_note(note: String) -> String {
    note.trim().to_owned()
}

/// Whether items of a kind may only be moved by trained people.
#[eventual::command]
pub async fn is_hazardous(kind: Kind) -> bool {
    matches!(kind, Kind::Hazardous { .. })
}

/// Finds the note that somebody left, if any.
#[eventual::command]
pub async fn find_note(author: String) -> Option<String> {
    (author == "ada").then(|| "mind the step".to_owned())
}

/// Lists what has expired before a day.
#[eventual::command]
pub async fn expired(before: Before) -> Vec<Item> {
    let _ = before.before_day;
    Vec::new()
}

/// Forgets something.
#[eventual::command]
pub async fn forget(what: String) {
    drop(what);
}

/// Stops a delivery that has a pallet too many.
#[eventual::command(method = DELETE, path = "/deliveries/{id}")]
pub async fn refuse_delivery(delivery: DeliveryRef) -> Result<(), WarehouseError> {
    Err(WarehouseError::TooLate(delivery.id))
}
