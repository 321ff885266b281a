//! Calls to outside addresses: into public networks only, within limits, and with nothing told to whom it is
//! not meant for.

use caseload::kernel::{
    error::{Code, Error},
    http_client::{HttpClient, Request},
};

use crate::support::{
    mock_server::{MockReply, MockServer},
    *,
};

fn open() -> HttpClient {
    // What encrypts is chosen by the suite.
    let _chosen = rustls::crypto::ring::default_provider().install_default();
    HttpClient::new(vec!["127.0.0.0/8".parse().expect("a network"), "::1/128".parse().expect("a network")])
}

fn question(url: &str) -> Request {
    let headers = vec![("X-Secret".to_owned(), "s3cr3t".to_owned())];
    Request { url: url.parse().expect("a URL"), headers, body: None }
}

async fn refusal(http_client: &HttpClient, url: &str) -> Error {
    http_client.send(question(url)).await.and_then(|reply| reply.ok().map(drop)).expect_err(url)
}

#[actix_web::test]
async fn a_network_of_ones_own_is_not_called_unless_the_settings_say_so() {
    let elsewhere = MockServer::answering(|_| MockReply::text(200, "hello"));
    let port = elsewhere.base.rsplit(':').next().expect("a port").to_owned();
    let closed = HttpClient::new(Vec::new());
    // By its number, by its name, and by a name in another guise.
    for host in ["127.0.0.1", "127.1", "[::ffff:127.0.0.1]", "localhost", "LOCALHOST"] {
        let refused = refusal(&closed, &format!("http://{host}:{port}/a?key=s3cr3t")).await;
        assert_eq!(refused.code(), Code::OutsideRefused, "{host}: {refused}");
        assert!(
            refused.to_string().contains("network") && !refused.to_string().contains("s3cr3t"),
            "{refused}"
        );
    }
    assert!(elsewhere.asked().is_empty());
    for host in ["127.0.0.1", "localhost"] {
        let reply = open().send(question(&format!("http://{host}:{port}/"))).await.expect("an answer");
        assert_eq!((reply.status, reply.body.as_slice()), (200, b"hello".as_slice()));
    }
    let half = HttpClient::new(vec!["10.0.0.0/8".parse().expect("a network")]);
    assert_eq!(refusal(&half, &elsewhere.base).await.code(), Code::OutsideRefused);
}

#[actix_web::test]
async fn a_redirect_is_followed_to_where_one_may_go_without_what_was_meant_for_another() {
    let far = MockServer::answering(|_| MockReply::text(200, "far"));
    let to = far.base.clone();
    let near = MockServer::answering(move |asked| match asked.path.as_str() {
        "/here" => MockReply::text(302, "").with("location", "/there"),
        "/there" => MockReply::text(200, "there"),
        "/far" => MockReply::text(307, "").with("location", format!("{to}/end")),
        "/private" => MockReply::text(302, "").with("location", "http://10.0.0.1/"),
        "/file" => MockReply::text(302, "").with("location", "file:///etc/passwd"),
        _ => MockReply::text(302, "").with("location", "/round"),
    });
    let http_client = open();
    let ask = async |path: &str| http_client.send(question(&format!("{}{path}", near.base))).await;
    assert_eq!(ask("/here").await.expect("an answer").body, b"there");
    assert!(near.asked().iter().all(|asked| asked.headers["x-secret"] == "s3cr3t"));
    assert_eq!(ask("/far").await.expect("an answer").body, b"far");
    let asked = far.asked();
    assert_eq!((asked[0].path.as_str(), asked[0].headers.get("x-secret")), ("/end", None));
    for path in ["/private", "/file", "/round"] {
        assert_eq!(ask(path).await.expect_err(path).code(), Code::OutsideRefused, "{path}");
    }
    // What is posted is not posted elsewhere.
    let posted = Request { body: Some(json!({})), ..question(&format!("{}/far", near.base)) };
    assert_eq!(
        http_client.send(posted).await.expect("an answer").ok().expect_err("no success").code(),
        Code::OutsideRefused
    );
    assert!(far.asked().is_empty());
}

#[actix_web::test]
async fn an_answer_that_is_too_large_or_never_comes_is_no_answer() {
    let large = MockServer::answering(|_| MockReply {
        status: 200,
        headers: Vec::new(),
        body: vec![b'x'; 8 * 1024 * 1024 + 1],
    });
    let refused = refusal(&open(), &large.base).await;
    assert_eq!(refused.code(), Code::OutsideRefused);
    assert!(refused.to_string().contains("8 MiB"), "{refused}");
    // Nobody listens there any more.
    let gone = { MockServer::answering(|_| MockReply::text(200, "")).base.replace("127.0.0.1", "127.0.0.2") };
    assert_eq!(refusal(&open(), &gone).await.code(), Code::OutsideUnavailable);
    assert_eq!(refusal(&open(), "http://nobody.invalid/?key=s3cr3t").await.code(), Code::OutsideUnavailable);
}

#[actix_web::test]
async fn who_is_asked_too_often_is_asked_again_and_other_refusals_are_told_apart() {
    let busy = std::sync::atomic::AtomicUsize::new(2);
    let elsewhere = MockServer::answering(move |asked| match asked.path.as_str() {
        "/busy" if busy.load(std::sync::atomic::Ordering::SeqCst) > 0 => {
            busy.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
            MockReply::text(429, "").with("retry-after", 0)
        }
        "/tomorrow" => MockReply::text(503, "").with("retry-after", 86_400),
        "/key" => MockReply::text(401, "s3cr3t is wrong"),
        "/broken" => MockReply::text(500, ""),
        "/gone" => MockReply::text(404, ""),
        _ => MockReply::json(200, &json!({ "ok": true })),
    });
    let http_client = open();
    let reply = http_client.send(question(&format!("{}/busy", elsewhere.base))).await.expect("an answer");
    assert_eq!(reply.json().expect("JSON"), json!({ "ok": true }));
    assert_eq!(elsewhere.asked().len(), 3);
    let wanted = [
        ("/tomorrow", Code::OutsideUnavailable),
        ("/broken", Code::OutsideUnavailable),
        ("/key", Code::OutsideRefused),
        ("/gone", Code::OutsideRefused),
    ];
    for (path, code) in wanted {
        let refused = refusal(&http_client, &format!("{}{path}?key=s3cr3t", elsewhere.base)).await;
        assert_eq!(refused.code(), code, "{path}");
        assert!(!refused.to_string().contains("s3cr3t"), "{refused}");
    }
    assert_eq!(
        refusal(&http_client, &format!("{}/tomorrow", elsewhere.base)).await.refusal().retry_after,
        Some(86_400)
    );
}
