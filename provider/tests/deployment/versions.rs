//! Which versions of functions stay when code is deployed again and again.

use eventual_schema::deploy::code_alias;

use super::{Deployment, code_of, service};

impl Deployment {
    /// Has an open execution need the code of a generation, or none with 0, as the code says that is built from now on.
    fn needs(&mut self, generation: u32) {
        self.probe.needed = generation;
        self.write();
    }

    /// Aliases of a function with their versions, sorted.
    async fn aliases(&self, function: &str) -> Vec<(String, String)> {
        let lambda = aws_sdk_lambda::Client::new(&self.settings().await);
        let name = format!("{}-{function}", self.name);
        let answer = lambda.list_aliases().function_name(name).send().await.unwrap();
        let pair = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let mut aliases: Vec<_> =
            answer.aliases().iter().map(|it| (pair(it.name()), pair(it.function_version()))).collect();
        aliases.sort();
        aliases
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn code_that_open_executions_are_pinned_to_stays_and_no_other_piles_up() {
    let mut deployment = Deployment::new("pinned").await;
    deployment.needs(1);
    let config = service(&deployment, &[]);
    let mut state = deployment.create(&config).await;
    for _ in 2..=5 {
        deployment.rebuild();
        state = deployment.apply(Some(&state), &config).await;
    }
    let alias = |generation: u32, version: &str| (code_alias(&code_of(generation)), version.to_owned());
    let mut expected = vec![alias(1, "1"), alias(4, "4"), alias(5, "5"), ("live".to_owned(), "5".to_owned())];
    expected.sort();
    assert_eq!(deployment.aliases("orchestrator").await, expected);
    assert_eq!(deployment.versions("orchestrator").await, ["$LATEST", "1", "4", "5"]);
    assert_eq!(deployment.versions("command-ping").await, ["$LATEST", "4", "5"]);
    assert_eq!(deployment.read(&state).await.as_ref(), Some(&state));
    assert_eq!(deployment.changes(&state, &config), []);
    // The execution ends, and nobody needs the first code any more.
    deployment.needs(0);
    for _ in 6..=7 {
        deployment.rebuild();
        state = deployment.apply(Some(&state), &config).await;
    }
    assert_eq!(deployment.versions("orchestrator").await, ["$LATEST", "6", "7"]);
    deployment.destroy(&state).await;
    deployment.nothing_left().await;
}
