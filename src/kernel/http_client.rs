//! The one way to call outside addresses: http and https, into public networks, within limits of time and
//! size.
//!
//! A name is looked up here, and only those of its addresses are called that may be: nobody else looks it
//! up again in between. Every redirect goes the same way, and takes the caller's headers along only to where
//! they were meant for. What is said about a call names neither its query nor its headers.

use std::{
    error::Error as StdError,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};

use ipnet::IpNet;
use reqwest::{
    Client, Method,
    dns::{Addrs, Name, Resolve, Resolving},
    header::HeaderMap,
    redirect::Policy,
};
use serde_json::Value;
use tokio::time::{Instant, timeout};
use url::{Host, Url};
use validator::ValidationError;

use super::{
    error::{Code, Error, Result, ResultExt},
    strict::{self, Extent},
};

/// How long one request may take, its answer included.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How long we wait, in all, for a system that asks us to come back later.
const MAX_RETRY_TIME: Duration = Duration::from_secs(25);
/// However soon it says that we may.
const MIN_PAUSE: Duration = Duration::from_millis(50);
/// How long all of it may take: shorter than a job's claim lasts.
const MAX_TIME: Duration = Duration::from_secs(50);
/// Bytes of an answer that we read.
const MAX_RESPONSE: usize = 8 * 1024 * 1024;
/// Redirects that we follow.
const MAX_REDIRECTS: usize = 5;
/// Values of a JSON answer that is made into one as a whole: in memory they are many times as long as they
/// are written.
const MAX_VALUES: usize = 150_000;
/// Characters of an address.
const MAX_URL: usize = 2000;

/// Calls outside addresses.
pub struct HttpClient {
    address_filter: AddressFilter,
    client: OnceLock<Client>,
}

/// What is asked.
#[derive(Clone)]
pub struct Request {
    /// Where.
    pub url: Url,
    /// What goes along for that host alone, such as its credentials.
    pub headers: Vec<(String, String)>,
    /// What is posted, as JSON; without it the address is read.
    pub body: Option<Value>,
}

/// What was answered, with any status.
#[derive(Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
    /// Who answered, without query or credentials.
    place: String,
}

impl HttpClient {
    /// Calls public networks, and of the others only these.
    #[must_use]
    pub fn new(allowed: Vec<IpNet>) -> Self {
        Self { address_filter: AddressFilter(allowed.into()), client: OnceLock::new() }
    }

    /// Asks, and waits a while when the other system says that it is asked too often.
    pub async fn send(&self, request: Request) -> Result<Response> {
        let place = place(&request.url);
        let answered = timeout(MAX_TIME, self.send_with_retries(request)).await;
        answered.unwrap_or_else(|_| Err(unavailable(format!("{place} does not answer in time."))))
    }

    async fn send_with_retries(&self, request: Request) -> Result<Response> {
        let began = Instant::now();
        loop {
            let response = self.follow(request.clone()).await?;
            let busy = matches!(response.status, 429 | 503);
            let pause = response.retry_after().unwrap_or(Duration::from_secs(2)).max(MIN_PAUSE);
            if !busy || began.elapsed() + pause > MAX_RETRY_TIME {
                return Ok(response);
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Asks once, where redirects lead to.
    async fn follow(&self, mut request: Request) -> Result<Response> {
        for _ in 0..=MAX_REDIRECTS {
            let response = self.once(&request).await?;
            let next = match (response.status, response.header("location")) {
                (301 | 302 | 303 | 307 | 308, Some(location)) if request.body.is_none() => {
                    request.url.join(location).ok()
                }
                _ => return Ok(response),
            };
            let next =
                next.ok_or_else(|| refused(format!("{} leads to what is no address.", response.place)))?;
            if request.url.scheme() == "https" && next.scheme() != "https" {
                return Err(refused(format!("{} leads away from https.", response.place)));
            }
            if next.origin() != request.url.origin() {
                request.headers.clear();
            }
            request.url = next;
        }
        Err(refused(format!("{} leads on and on.", place(&request.url))))
    }

    async fn once(&self, request: &Request) -> Result<Response> {
        let place = place(&request.url);
        self.address_filter.check(&request.url)?;
        let method = if request.body.is_some() { Method::POST } else { Method::GET };
        let mut builder = self.client()?.request(method, request.url.clone());
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if let Some(body) = &request.body {
            builder = builder.json(body);
        }
        let response = builder.send().await.map_err(|error| failed(&place, error))?;
        read(response, place).await
    }

    /// Made when it is first needed: it reads the certificates of the system.
    fn client(&self) -> Result<&Client> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        // Fails when it was installed before, which is as well.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(TIMEOUT / 2)
            .redirect(Policy::none())
            // Whoever looks names up for us might see another address than the one that was checked.
            .no_proxy()
            .dns_resolver(Arc::new(self.address_filter.clone()))
            .user_agent(concat!("Caseload/", env!("CARGO_PKG_VERSION")))
            .build()
            .internal()?;
        Ok(self.client.get_or_init(|| client))
    }
}

async fn read(mut response: reqwest::Response, place: String) -> Result<Response> {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failed(&place, error))? {
        if body.len() + chunk.len() > MAX_RESPONSE {
            return Err(refused(format!("{place} answers more than {} MiB.", MAX_RESPONSE / 1024 / 1024)));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Response { status, headers, body, place })
}

impl Response {
    /// The text of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn retry_after(&self) -> Option<Duration> {
        self.header("retry-after")?
            .trim()
            .parse::<f64>()
            .ok()
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
    }

    /// The answer, if it is a success.
    pub fn ok(self) -> Result<Self> {
        let Self { status, place, .. } = &self;
        let wait = self.retry_after().map_or(60, |wait| wait.as_secs());
        match status {
            200..300 => Ok(self),
            401 | 403 => {
                Err(refused(format!("{place} does not accept the credentials: it answers {status}.")))
            }
            408 | 429 | 500..600 => {
                Err(unavailable(format!("{place} cannot answer now: {status}.")).retry_after(wait))
            }
            _ => Err(refused(format!("{place} answers {status}."))),
        }
    }

    /// The JSON of a successful answer.
    pub fn json(self) -> Result<Value> {
        let response = self.ok()?;
        if values(&response.body) > MAX_VALUES {
            return Err(refused(format!(
                "{} answers more than {MAX_VALUES} values at once.",
                response.place
            )));
        }
        strict::value(&response.body)
            .map_err(|_| refused(format!("{} does not answer JSON.", response.place)))
    }
}

/// How many values a JSON text holds at the most.
fn values(json: &[u8]) -> usize {
    let Extent { containers, commas, .. } = Extent::of(json);
    1 + containers + commas
}

/// What another system did that asking again will not change.
pub fn refused(detail: impl Into<String>) -> Error {
    Error::new(Code::OutsideRefused, detail)
}

/// What another system may do when it is asked later.
pub fn unavailable(detail: impl Into<String>) -> Error {
    Error::new(Code::OutsideUnavailable, detail)
}

/// An address as people may read it: without credentials, query or fragment.
fn place(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

/// What stands in place of what is not shown.
const HIDDEN: &str = "***";

/// An address as it is shown, kept and logged: whatever a query or fragment says may be a secret, and so may
/// who is named in it.
#[must_use]
pub fn masked(address: &str) -> String {
    let (rest, fragment) = address.split_once('#').map_or((address, ""), |(rest, _)| (rest, "#***"));
    let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
    let pair = |pair: &str| match pair.split_once('=') {
        Some((name, "")) => format!("{name}="),
        Some((name, _)) => format!("{name}={HIDDEN}"),
        None if pair.is_empty() => String::new(),
        None => HIDDEN.to_owned(),
    };
    let query = query.map(|query| format!("?{}", query.split('&').map(pair).collect::<Vec<_>>().join("&")));
    let (scheme, place) = place.split_once("://").map_or(("", place), |(scheme, place)| (scheme, place));
    let (host, path) = place.split_at(place.find('/').unwrap_or(place.len()));
    let host = host.rsplit_once('@').map_or_else(|| host.to_owned(), |(_, host)| format!("{HIDDEN}@{host}"));
    format!(
        "{scheme}{}{host}{path}{}{fragment}",
        if scheme.is_empty() { "" } else { "://" },
        query.unwrap_or_default()
    )
}

fn failed(place: &str, error: reqwest::Error) -> Error {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(&error);
    while let Some(deeper) = cause {
        if deeper.is::<Forbidden>() {
            return refused(format!("{place} is in a network that is not called."));
        }
        cause = deeper.source();
    }
    let timely = !error.is_timeout();
    tracing::debug!(place, error = %error.without_url(), "a call failed");
    unavailable(format!("{place} {}.", if timely { "cannot be reached" } else { "does not answer in time" }))
}

/// Refuses what is no address to call: http or https, without credentials in it.
pub fn address(text: &str) -> std::result::Result<(), ValidationError> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let fits = url.is_some_and(|url| url.username().is_empty() && url.password().is_none());
    if fits && text.len() <= MAX_URL && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        let words = "must be an http or https address without credentials, of at most 2,000 characters";
        Err(ValidationError::new("url").with_message(words.into()))
    }
}

/// Knows which addresses may be called.
#[derive(Clone)]
struct AddressFilter(Arc<[IpNet]>);

#[derive(Debug)]
struct Forbidden;

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address in a network that is not called")
    }
}

impl StdError for Forbidden {}

impl AddressFilter {
    fn opens(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|net| net.contains(&address)) || is_public(address)
    }

    /// Refuses another scheme, and an address that is written out and not to be called; names are for
    /// [`Resolve`].
    fn check(&self, url: &Url) -> Result<()> {
        let open = match url.host() {
            Some(Host::Ipv4(address)) => self.opens(address.into()),
            Some(Host::Ipv6(address)) => self.opens(address.into()),
            Some(Host::Domain(_)) => true,
            None => false,
        };
        match url.scheme() {
            "http" | "https" if open => Ok(()),
            "http" | "https" => Err(refused(format!("{} is in a network that is not called.", place(url)))),
            scheme => Err(refused(format!("{scheme} is not called, only http and https."))),
        }
    }
}

impl Resolve for AddressFilter {
    fn resolve(&self, name: Name) -> Resolving {
        let address_filter = self.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let some = !found.is_empty();
            let open: Vec<SocketAddr> =
                found.into_iter().filter(|address| address_filter.opens(address.ip())).collect();
            if some && open.is_empty() {
                return Err(Box::new(Forbidden) as Box<dyn StdError + Send + Sync>);
            }
            Ok(Box::new(open.into_iter()) as Addrs)
        })
    }
}

/// Whether anybody on the internet could be at an address: not this machine, not a network of one's own,
/// nothing reserved.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let reserved = matches!(
        (a, b, c),
        (0 | 10 | 127 | 224.., ..)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 168, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    );
    !reserved
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    match segments {
        // A gateway to IPv4 leads to the address in its last bits.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        [0x2001, 0..0x200 | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..0x1000, ..] => false,
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn only_public_addresses_are_called() {
        let address_filter = AddressFilter(Arc::from([]));
        for public in [
            "8.8.8.8",
            "100.63.255.255",
            "172.32.0.1",
            "192.0.1.1",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "64:ff9b::808:808",
        ] {
            assert!(address_filter.opens(at(public)), "{public}");
        }
        for own in [
            "0.0.0.0",
            "10.1.2.3",
            "127.0.0.1",
            "100.64.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.168.1.1",
            "192.0.0.8",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "3fff::1",
            "4000::1",
        ] {
            assert!(!address_filter.opens(at(own)), "{own}");
        }
        let address_filter =
            AddressFilter(Arc::from(["10.0.0.0/8", "::1/128"].map(|net| net.parse().expect("a network"))));
        assert!(
            address_filter.opens(at("10.1.2.3"))
                && address_filter.opens(at("::ffff:10.1.2.3"))
                && address_filter.opens(at("::1"))
        );
        assert!(!address_filter.opens(at("127.0.0.1")) && address_filter.opens(at("11.0.0.1")));
    }

    #[test]
    fn an_address_is_http_and_has_no_credentials() {
        for good in ["https://shop.example", "http://10.0.0.1:8080/feed.csv?since=1"] {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "shop.example",
            "ftp://shop.example",
            "file:///etc/passwd",
            "https://",
            "https://ana:secret@shop.example",
            "https://a b",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
        assert_eq!(
            place(&Url::parse("https://ana:s@shop.example/a?key=s#s").expect("a URL")),
            "https://shop.example/a"
        );
    }

    #[test]
    fn what_may_be_secret_in_an_address_is_not_shown() {
        for (address, shown) in [
            ("https://shop.example/feed.csv", "https://shop.example/feed.csv"),
            (
                "https://shop.example/feed.csv?token=s3cret&page=1&empty=&s3cret",
                "https://shop.example/feed.csv?token=***&page=***&empty=&***",
            ),
            ("https://ana:s3cret@shop.example?a=s3cret#s3cret", "https://***@shop.example?a=***#***"),
            ("https://shop.example/a@b?x=a=s3cret", "https://shop.example/a@b?x=***"),
            ("https://shop.example/?", "https://shop.example/?"),
        ] {
            assert_eq!(masked(address), shown);
            assert_eq!(masked(shown), shown);
        }
    }

    #[test]
    fn values_are_counted_before_they_are_made() {
        assert!(values(br#"{"a,[{":[1,2,{"b\"[,":"]"}]}"#) <= 7);
        assert!(values("[{},".repeat(50_000).as_bytes()) > MAX_VALUES);
    }

    #[test]
    fn what_is_written_out_is_looked_at_however_it_is_written() {
        let address_filter = AddressFilter(Arc::from([]));
        for odd in [
            "http://127.1/",
            "http://0x7f000001/",
            "http://2130706433/",
            "http://[::1]/",
            "http://[::ffff:7f00:1]/",
            "http://0/",
            "ftp://8.8.8.8/",
        ] {
            let refusal = address_filter.check(&Url::parse(odd).expect("a URL")).expect_err(odd);
            assert_eq!(refusal.code(), Code::OutsideRefused, "{odd}");
        }
        assert!(address_filter.check(&Url::parse("http://8.8.8.8/").expect("a URL")).is_ok());
    }
}
