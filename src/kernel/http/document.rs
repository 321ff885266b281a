//! Documents that stay the same while the server runs: compressed once, and sent again only to who does not
//! hold them.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use actix_http::{ResponseHead, body, encoding::Encoder};
use actix_web::{
    HttpMessage, HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, AcceptEncoding, ContentEncoding, Encoding},
    },
    web::Bytes,
};
use tokio::sync::OnceCell;

use super::{headers::entity_tags, sending::KeptReply};
use crate::kernel::{
    error::{Code, Error, Result, ResultExt},
    text,
};

/// A document, as it is and as clients unpack it.
pub struct Document {
    media_type: String,
    tag: String,
    plain: Bytes,
    packed: [OnceCell<Bytes>; PACKED.len()],
}

/// The encodings that are kept, the smallest first.
const PACKED: [ContentEncoding; 2] = [ContentEncoding::Brotli, ContentEncoding::Gzip];

impl Document {
    /// One that nobody has asked for yet.
    #[must_use]
    pub fn new(media_type: &str, plain: impl Into<Bytes>) -> Self {
        let plain = plain.into();
        let tag = text::digest(&plain);
        Self { media_type: media_type.to_owned(), tag, plain, packed: <[_; PACKED.len()]>::default() }
    }

    /// What a request for it is answered; 304 when it holds any form of it.
    pub async fn answer(&self, request: &HttpRequest) -> Result<HttpResponse> {
        let encoding = negotiate(request)?;
        let tag = format!("\"{}-{}\"", self.tag, encoding.as_str());
        let held = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        let ours = |held: &str| {
            let tags = entity_tags(held).unwrap_or_default();
            tags.iter().any(|(_, held)| held.rsplit_once('-').is_some_and(|(held, _)| held == self.tag))
        };
        let mut response = HttpResponse::Ok();
        response.insert_header((header::CACHE_CONTROL, "no-cache"));
        response.insert_header((header::ETAG, tag));
        if held.is_some_and(|held| held.trim() == "*" || ours(held)) {
            return Ok(response.status(StatusCode::NOT_MODIFIED).finish());
        }
        let packed = PACKED.into_iter().zip(&self.packed).find(|(kept, _)| *kept == encoding);
        let bytes = match packed {
            Some((_, packed)) => packed.get_or_try_init(|| self.pack(encoding)).await?,
            None => &self.plain,
        };
        // What says how it is encoded is not encoded anew on its way out; the outermost middleware leaves
        // `identity` away.
        response.insert_header((header::CONTENT_ENCODING, encoding.as_str()));
        let mut response = response.content_type(self.media_type.as_str()).body(bytes.clone());
        response.extensions_mut().insert(KeptReply);
        Ok(response)
    }

    async fn pack(&self, encoding: ContentEncoding) -> Result<Bytes> {
        let mut head = ResponseHead::new(StatusCode::OK);
        body::to_bytes(Encoder::response(encoding, &mut head, self.plain.clone())).await.internal()
    }
}

/// The encoding that a request likes best, of those that are kept.
fn negotiate(request: &HttpRequest) -> Result<ContentEncoding> {
    let kept = PACKED.into_iter().chain([ContentEncoding::Identity]).map(Encoding::Known).collect::<Vec<_>>();
    let Some(accepted) = request.get_header::<AcceptEncoding>() else { return Ok(ContentEncoding::Identity) };
    match accepted.negotiate(kept.iter()) {
        Some(Encoding::Known(encoding)) => Ok(encoding),
        _ => Err(Error::new(Code::NotAcceptable, "It is kept as it is, and in br and gzip.")),
    }
}

/// Documents by their names: as many as there are, whatever names are asked for.
#[derive(Default)]
pub struct Documents(RwLock<HashMap<String, Arc<Document>>>);

impl Documents {
    /// The one of a name, made when it is first asked for.
    pub fn get(&self, name: &str, make: impl FnOnce() -> Option<Document>) -> Option<Arc<Document>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        known.or_else(|| {
            let made = Arc::new(make()?);
            let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
            Some(all.entry(name.to_owned()).or_insert(made).clone())
        })
    }
}
