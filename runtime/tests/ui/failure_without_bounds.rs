#[derive(Debug, eventual::Failure)]
enum OrderError {
    #[failure(status = 200)]
    SoldOut,
}

fn main() {}
