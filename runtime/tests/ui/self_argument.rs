struct Shop;

impl Shop {
    #[eventual::command]
    async fn open(&self) -> bool {
        true
    }
}

fn main() {}
