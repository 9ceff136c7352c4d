#[eventual::workflow]
async fn same<T>(it: T) -> T {
    it
}

fn main() {}
