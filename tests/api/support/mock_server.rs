//! Other systems that shops talk to: small servers of a test's own, which remember what they were asked.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev::ServerHandle, http::StatusCode, web};

use super::Value;

/// What was asked.
#[derive(Clone, Debug)]
pub struct ReceivedRequest {
    pub method: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub headers: BTreeMap<String, String>,
    pub body: Value,
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct MockReply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl MockReply {
    pub fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            headers: vec![("content-type".into(), "application/json".into())],
            body: body.to_string().into_bytes(),
        }
    }

    pub fn text(status: u16, body: &str) -> Self {
        Self { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
    }

    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.into(), value.to_string()));
        self
    }
}

type Handler = Arc<dyn Fn(&ReceivedRequest) -> MockReply + Send + Sync>;

/// A system elsewhere.
pub struct MockServer {
    /// Where it listens.
    pub base: String,
    asked: Arc<Mutex<Vec<ReceivedRequest>>>,
    server: ServerHandle,
}

impl MockServer {
    /// One that answers like this.
    pub fn answering(answer: impl Fn(&ReceivedRequest) -> MockReply + Send + Sync + 'static) -> Self {
        let (asked, answer): (Arc<Mutex<Vec<ReceivedRequest>>>, Handler) = (Arc::default(), Arc::new(answer));
        let heard = asked.clone();
        let server = HttpServer::new(move || {
            let (heard, answer) = (heard.clone(), answer.clone());
            App::new().app_data(web::PayloadConfig::new(1 << 24)).default_service(web::to(
                move |request: HttpRequest, body: web::Bytes| {
                    let asked = read(&request, &body);
                    let answered = answer(&asked);
                    heard.lock().expect("a list").push(asked);
                    let mut response =
                        HttpResponse::build(StatusCode::from_u16(answered.status).expect("a status"));
                    for (name, value) in answered.headers {
                        response.insert_header((name, value));
                    }
                    std::future::ready(response.body(answered.body))
                },
            ))
        })
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .expect("a port");
        let base = format!("http://{}", server.addrs()[0]);
        let running = server.run();
        let server = running.handle();
        actix_web::rt::spawn(running);
        Self { base, asked, server }
    }

    /// What it was asked since the last time.
    pub fn asked(&self) -> Vec<ReceivedRequest> {
        std::mem::take(&mut self.asked.lock().expect("a list"))
    }
}

impl Drop for MockServer {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

fn read(request: &HttpRequest, body: &[u8]) -> ReceivedRequest {
    let query = url::form_urlencoded::parse(request.query_string().as_bytes()).into_owned().collect();
    let text =
        |value: &actix_web::http::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers =
        request.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    ReceivedRequest {
        method: request.method().to_string(),
        path: request.path().to_owned(),
        query,
        headers,
        body: serde_json::from_slice(body).unwrap_or_default(),
    }
}
