#[eventual::task]
async fn count() -> usize {
    let shared = std::rc::Rc::new(1);
    std::future::ready(()).await;
    *shared
}

fn main() {}
