//! What goes along with a request: its id, what holds for it, and how far its body was read.

use std::time::Duration;

use actix_web::{HttpRequest, web::Data};

/// The id of the request, set by the outermost middleware.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// What holds for every request.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a request may take.
    pub request_timeout: Duration,
    /// Reverse proxies in front, whose `X-Forwarded-For` is believed; unless said, one on a network of one's
    /// own.
    pub trusted_proxies: Option<usize>,
    /// Bytes of a body at the most.
    pub body: usize,
}

impl Limits {
    /// Those of the application that a request came to.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        let usual = Self { request_timeout: Duration::from_mins(1), trusted_proxies: None, body: 0 };
        request.app_data::<Data<Self>>().map_or(usual, |limits| ***limits)
    }
}

/// On a request whose body was read to its end.
pub struct ReadToTheEnd;
