//! What the headers of a request say: where it comes from, languages, conditions.

use actix_web::{HttpRequest, http::header};

use super::extensions::Limits;
use crate::kernel::{
    context::IfMatch,
    error::{Error, Result},
    http_client::is_public,
    network::{self, Client},
};

/// Where a request comes from: the peer, or what the outermost trusted proxy saw. Unless a setting says how
/// many proxies there are, a peer on a network of one's own is taken for one.
#[must_use]
pub fn client(request: &HttpRequest) -> Client {
    let peer = request.peer_addr().map(|peer| peer.ip());
    let seen = |proxies: usize| {
        let all = request
            .headers()
            .get_all("x-forwarded-for")
            .filter_map(|value| value.to_str().ok())
            .collect::<Vec<_>>()
            .join(",");
        // Each proxy adds one at the end; what stands before those is whatever the client made up.
        all.split(',').rev().nth(proxies.checked_sub(1)?).and_then(network::written)
    };
    match Limits::of(request).trusted_proxies {
        Some(proxies) => Client { address: seen(proxies).or(peer), presumed_proxy: None },
        None => match peer.filter(|peer| !is_public(peer.to_canonical())).and_then(|_| seen(1)) {
            Some(address) => Client { address: Some(address), presumed_proxy: peer },
            None => Client { address: peer, presumed_proxy: None },
        },
    }
}

/// The text of a header, if it is there and is text; given twice, nobody can say which is meant.
pub fn text<'a>(request: &'a HttpRequest, name: &str) -> Result<Option<&'a str>> {
    if request.headers().get_all(name).nth(1).is_some() {
        return Err(Error::header(name, "repeated", format!("{name} must be given once")));
    }
    request
        .headers()
        .get(name)
        .map(|value| {
            value
                .to_str()
                .map_err(|_| Error::header(name, "text", format!("{name} must be plain ASCII text")))
        })
        .transpose()
}

/// The languages of `Accept-Language`, best first, in lower case.
pub fn languages(request: &HttpRequest) -> Vec<String> {
    let wanted = request
        .headers()
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let mut ranked: Vec<(String, f32)> = wanted
        .split(',')
        .filter_map(|part| {
            let mut pieces = part.trim().split(';');
            let tag = pieces.next()?.trim().to_lowercase();
            let weight =
                pieces.find_map(|piece| piece.trim().strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
            (!tag.is_empty() && tag != "*" && weight > 0.0 && tag.len() <= 35).then_some((tag, weight))
        })
        .take(10)
        .collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranked.into_iter().map(|(tag, _)| tag).collect()
}

/// The versions of `If-Match`.
pub fn if_match(request: &HttpRequest) -> Result<Option<IfMatch>> {
    let Some(wanted) = text(request, "If-Match")? else { return Ok(None) };
    if wanted.trim() == "*" {
        return Ok(Some(IfMatch::Any));
    }
    let tags = entity_tags(wanted).ok_or_else(|| {
        Error::header("If-Match", "etag", "If-Match must be * or an ETag as it was answered, such as \"7\"")
    })?;
    // What follows a dot are the languages it was read in. RFC 9110, 13.1.1 compares strongly; we take a weak
    // tag for its version all the same, since proxies that compress weaken every tag that they pass on.
    let version = |(_, tag): (bool, &str)| {
        let number = tag.split('.').next()?;
        number.parse::<i64>().ok().filter(|version| version.to_string() == number)
    };
    Ok(Some(IfMatch::Versions(tags.into_iter().filter_map(version).collect())))
}

/// The tags of a list such as `"7", W/"8"`, each with whether it is weak (RFC 9110).
#[must_use]
pub fn entity_tags(list: &str) -> Option<Vec<(bool, &str)>> {
    let (mut tags, mut rest) = (Vec::new(), list.trim());
    loop {
        let (weak, quoted) = rest.strip_prefix("W/").map_or((false, rest), |strong| (true, strong));
        let (tag, after) = quoted.strip_prefix('"')?.split_once('"')?;
        tags.push((weak, tag));
        rest = after.trim_start();
        match rest.strip_prefix(',') {
            Some(more) => rest = more.trim_start(),
            None => return rest.is_empty().then_some(tags),
        }
    }
}
