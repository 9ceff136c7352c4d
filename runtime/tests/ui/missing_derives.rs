struct Order {
    id: String,
}

#[eventual::command]
async fn place(order: Order) -> String {
    order.id
}

fn main() {}
