//! The smallest service: a command starts a workflow, which calls a task.

/// Makes a greeting, wherever there is room to compute it.
#[eventual::task]
async fn compose(name: String) -> String {
    format!("Hello, {name}!")
}

/// Composes two greetings, a minute apart. It may take down the process in between: the workflow goes on.
#[eventual::workflow]
async fn greet(name: String) -> eventual::Result<Vec<String>> {
    let first = compose(name.clone()).await?;
    eventual::sleep(std::time::Duration::from_secs(60)).await?;
    Ok(vec![first, compose(format!("{name} again")).await?])
}

/// Starts a greeting and tells which execution makes it.
#[eventual::command(method = POST, path = "/greetings/{name}", uses(greet))]
async fn hello(name: String) -> eventual::Result<eventual::Execution> {
    Ok(greet(name).start().await?)
}

eventual::main!(auth = none);
