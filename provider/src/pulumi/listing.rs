//! `List`: the services that are deployed in the provider's account and region, by whomever, in pages.

use eventual_provider_core::request;
use eventual_provider_wire::pulumirpc::list_response::{Computed, Continuation, Response, Result as Listed};
use eventual_provider_wire::pulumirpc::{ListRequest, ListResponse};
use serde_json::{Value, json};
use tonic::Status;

use super::failure;
use super::property::{self, Members, Property};
use super::provider::Provider;

/// The only member of a query: what a name begins with.
const PREFIX: &str = "namePrefix";

/// What a query may say, as it stands in the schema.
pub(super) fn schema() -> Value {
    let prefix = json!({ "type": "string", "description": "What the names of the services begin with. Default: all." });
    json!({ "type": "object", "properties": { PREFIX: prefix } })
}

impl Provider {
    /// One page. It goes on after the last name of the page before, so that what comes and goes meanwhile does not matter.
    pub(super) async fn list(&self, request: ListRequest) -> Result<Vec<ListResponse>, Status> {
        if request.token != self.token() {
            let detail = format!("the package has no resource {:?}, only {}", request.token, self.token());
            return Err(Status::invalid_argument(detail));
        }
        let query = property::decode(request.query);
        let Some(prefix) = prefix(&query)? else {
            return Ok(vec![response(Response::Computed(Computed {}))]);
        };
        let session = self
            .session()
            .ok_or_else(|| Status::failed_precondition("the provider has not been configured"))?;
        let names = request::list(&session.identity, &*session.operations)
            .await
            .map_err(|diagnostic| failure::refused(&[diagnostic], &[]))?;
        let names = names.into_iter().filter(|it| it.starts_with(&prefix)).collect();
        Ok(page(names, &request.continuation_token, request.limit, request.page_size))
    }
}

/// What names are to begin with; `None` while that is not known.
fn prefix(query: &Members) -> Result<Option<String>, Status> {
    if let Some(key) = query.keys().find(|key| *key != PREFIX) {
        let detail = format!("{key}: services are listed by {PREFIX} only");
        return Err(Status::invalid_argument(detail));
    }
    match query.get(PREFIX).map(Property::reveal) {
        None | Some(Property::Null) => Ok(Some(String::new())),
        Some(Property::Unknown) => Ok(None),
        Some(Property::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Status::invalid_argument(format!("{PREFIX}: a text is expected"))),
    }
}

/// The names after `token`, which is how many were answered before and the last of them.
fn page(names: Vec<String>, token: &str, limit: i64, page_size: i64) -> Vec<ListResponse> {
    let (before, after) = token.split_once(' ').unwrap_or(("0", ""));
    let before: usize = before.parse().unwrap_or_default();
    let most = |number: i64| usize::try_from(number).ok().filter(|it| *it > 0).unwrap_or(usize::MAX);
    let left = most(limit).saturating_sub(before);
    let size = most(page_size).min(left);
    let rest: Vec<String> = names.into_iter().filter(|it| it.as_str() > after).collect();
    let more = rest.len() > size && left > size;
    let shown: Vec<String> = rest.into_iter().take(size).collect();
    let next = shown.last().filter(|_| more).map(|last| format!("{} {last}", before + shown.len()));
    let results = shown.into_iter().map(|id| response(Response::Result(Listed { name: id.clone(), id })));
    let next = next.map(|it| response(Response::Continuation(Continuation { continuation_token: it })));
    results.chain(next).collect()
}

fn response(response: Response) -> ListResponse {
    ListResponse { response: Some(response) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All pages, as an engine asks for them.
    fn pages(names: &[&str], limit: i64, page_size: i64) -> Vec<Vec<String>> {
        let (mut pages, mut token) = (Vec::new(), String::new());
        loop {
            let names = names.iter().map(|it| (*it).to_owned()).collect();
            let (mut ids, mut next) = (Vec::new(), None);
            for it in page(names, &token, limit, page_size) {
                match it.response.unwrap() {
                    Response::Result(it) => ids.push(it.id),
                    Response::Continuation(it) => next = Some(it.continuation_token),
                    Response::Computed(_) => panic!("it is known"),
                }
            }
            pages.push(ids);
            match next {
                Some(next) => token = next,
                None => return pages,
            }
        }
    }

    #[test]
    fn pages_and_limits_are_kept() {
        let all = ["a", "b", "c", "d", "e"];
        assert_eq!(pages(&all, 0, 0), [all]);
        assert_eq!(pages(&all, 0, 2), [vec!["a", "b"], vec!["c", "d"], vec!["e"]]);
        assert_eq!(pages(&all, 3, 2), [vec!["a", "b"], vec!["c"]]);
        assert_eq!(pages(&all, 2, 2), [["a", "b"]]);
        assert_eq!(pages(&all, 5, 5), [all]);
        assert_eq!(pages(&[], 5, 5), [[""; 0]]);
    }

    #[test]
    fn a_query_is_a_prefix_or_refused() {
        let query = |key: &str, value| prefix(&Members::from([(key.to_owned(), value)]));
        assert_eq!(prefix(&Members::new()).unwrap().as_deref(), Some(""));
        assert_eq!(query(PREFIX, Property::Unknown).unwrap(), None);
        assert_eq!(query(PREFIX, Property::String("a".to_owned())).unwrap().as_deref(), Some("a"));
        assert!(query("region", Property::Null).unwrap_err().message().contains("region"));
    }
}
