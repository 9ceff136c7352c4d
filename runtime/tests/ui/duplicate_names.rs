mod shop {
    #[eventual::task]
    pub async fn reserve(sku: String) -> String {
        sku
    }
}

mod hotel {
    #[eventual::task]
    pub async fn reserve(room: u32) -> u32 {
        room
    }
}

fn main() {}
