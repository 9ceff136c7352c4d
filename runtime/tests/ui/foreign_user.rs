#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct User {
    name: String,
}

#[eventual::command]
async fn register(user: User) -> String {
    user.name
}

fn main() {}
