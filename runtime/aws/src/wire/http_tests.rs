//! Requests as API Gateway sends them, and what we answer.

use eventual_core::{Failure, Outcome, Payload};

use super::*;

fn event(route: &str, query: &str, body: &str, authorizer: &str) -> String {
    format!(
        r#"{{"version":"2.0","routeKey":"{route}","rawPath":"/orders/a b","rawQueryString":"{query}",
        "cookies":["cookie1"],"headers":{{"content-type":"application/json"}},"queryStringParameters":{{"tag":"a,b"}},
        "requestContext":{{"accountId":"123456789012","apiId":"api-id",{authorizer}"domainName":"id.execute-api.us-east-1.amazonaws.com",
          "domainPrefix":"id","http":{{"method":"POST","path":"/orders","protocol":"HTTP/1.1","sourceIp":"192.0.2.1","userAgent":"agent"}},
          "requestId":"JKJaXmPLvHcESHA=","routeKey":"{route}","stage":"$default","time":"12/Mar/2020:19:03:58 +0000","timeEpoch":1583348638390}},
        {body}"pathParameters":{{"id":"a b"}},"stageVariables":{{}}}}"#
    )
}

#[test]
fn reads_path_query_and_body() {
    let text =
        event("GET /orders/{id}", "tag=a%2Cb&tag=c+d&empty=&flag&bad=%zz", r#""isBase64Encoded":false,"#, "");
    let request = request(&text).unwrap();
    let query = request.query();
    let pairs: Vec<(&str, &str)> = query.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(pairs, [("tag", "a,b"), ("tag", "c d"), ("empty", ""), ("flag", ""), ("bad", "%zz")]);
    assert_eq!(request.path()["id"], "a b");
    assert_eq!((request.body().unwrap(), request.user()), (Vec::new(), None));
}

#[test]
fn decodes_base64_bodies() {
    let encoded = event("POST /orders", "", r#""body":"eyJhIjoxfQ==","isBase64Encoded":true,"#, "");
    assert_eq!(request(&encoded).unwrap().body().unwrap(), br#"{"a":1}"#);
    let broken = event("POST /orders", "", r#""body":"???","isBase64Encoded":true,"#, "");
    assert_eq!(request(&broken).unwrap().body(), None);
}

#[test]
fn users_come_from_the_authorizer() {
    let jwt = r#""authorizer":{"jwt":{"claims":{"sub":"user-1","aud":"web"},"scopes":null}},"#;
    let user = request(&event("POST /orders", "", "", jwt)).unwrap().user().unwrap();
    assert_eq!(
        (user.subject.as_str(), user.claims_json.as_str()),
        ("user-1", r#"{"sub":"user-1","aud":"web"}"#)
    );
    let iam = r#""authorizer":{"iam":{"accessKey":"AKIA","accountId":"111122223333","callerId":"AIDA","cognitoIdentity":null,
        "principalOrgId":"aws:PrincipalOrgID","userArn":"arn:aws:iam::111122223333:user/example","userId":"AIDA"}},"#;
    let user = request(&event("POST /orders", "", "", iam)).unwrap().user().unwrap();
    assert_eq!(user.subject, "arn:aws:iam::111122223333:user/example");
}

#[test]
fn outcomes_become_answers() {
    let failed = |status| {
        let data = Payload::from(r#"{"code":7}"#);
        Outcome::Failed(Failure { data, ..Failure::new("OrderError::Gone", "no", status) })
    };
    let answer = |outcome: &Outcome| answered(http::of_outcome(outcome, "r-1"));
    for falsy in ["0", "null", "false", "\"\"", "[]"] {
        assert_eq!(answer(&Outcome::Succeeded(Payload::from(falsy))), response(200, falsy.into()));
    }
    let body = r#"{"class":"OrderError::Gone","message":"no","data":{"code":7}}"#;
    assert_eq!(answer(&failed(409)), response(409, body.into()));
    assert_eq!(answer(&failed(0)).status_code, 500);
    let crashed = answer(&Outcome::Crashed("secret panic text".into()));
    assert_eq!(crashed.status_code, 500);
    assert!(crashed.body.contains("r-1") && !crashed.body.contains("secret"), "{}", crashed.body);
}
