#[eventual::task]
fn add(numbers: Vec<u32>) -> u32 {
    numbers.iter().sum()
}

fn main() {}
