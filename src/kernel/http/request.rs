//! Extractors of what the rules may know of a request: its context, and ids from its path.

use std::{
    future::{Ready, ready},
    str::FromStr,
    sync::Arc,
};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, web::Data};
use futures_util::{
    FutureExt,
    future::{Either, LocalBoxFuture},
};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use super::{
    auth::{Authorized, authorize, is_public},
    extensions::RequestId,
    headers::{client, if_match, languages},
    query::no_parameters,
};
use crate::kernel::{
    actor::Actor,
    context::Context,
    db::Db,
    error::{Code, Error, Result},
    network::customer,
};

impl FromRequest for Context {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        authorize_then(request, |request, actor| {
            no_parameters(request)?;
            context(request, actor)
        })
    }
}

/// What a handler takes of a request without a body: first who asks, then what they ask.
pub fn authorize_then<T: 'static>(
    request: &HttpRequest,
    read: fn(&HttpRequest, Arc<Actor>) -> Result<T>,
) -> LocalBoxFuture<'static, Result<T>> {
    let request = request.clone();
    async move { read(&request, authorize(&request).await?) }.boxed_local()
}

/// The context of a request of somebody.
pub fn context(request: &HttpRequest, actor: Arc<Actor>) -> Result<Context> {
    let db = database(request)?;
    let request_id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let scope = request.extensions().get::<Authorized>().and_then(|authorized| authorized.scope);
    Ok(Context {
        actor,
        scope,
        now: db.clock().now(),
        request_id,
        network: client(request).address.map(customer),
        languages: languages(request),
        if_match: if_match(request)?,
        retry: None,
    })
}

/// The database of the application.
pub fn database(request: &HttpRequest) -> Result<&Db> {
    request
        .app_data::<Data<Db>>()
        .map(Data::get_ref)
        .ok_or_else(|| Error::internal("no database in the application"))
}

/// What the path names; what cannot be an id names nothing: 404, for whoever has a credential.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Path<T> {
    type Error = Error;
    type Future = Either<Ready<Result<Self>>, LocalBoxFuture<'static, Result<Self>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        // No text that we keep holds NUL, and PostgreSQL cannot even be asked about it.
        let has_nul = percent_decode_str(request.uri().path()).any(|byte| byte == 0);
        match actix_web::web::Path::<T>::from_request(request, payload).into_inner() {
            Ok(path) if !has_nul => Either::Left(ready(Ok(Self(path.into_inner())))),
            // Handlers take their path first, but who may ask at all comes before what they ask for: all that
            // a handler takes is awaited at once, and whichever refusal came first would be the answer.
            _ => {
                let request = request.clone();
                let refusal = async move {
                    if !is_public(&request)? {
                        authorize(&request).await?;
                    }
                    Err(Error::new(Code::NotFound, "There is nothing by that id."))
                };
                Either::Right(refusal.boxed_local())
            }
        }
    }
}

/// Parses a value of the path by its own rules, 404 when it is none.
pub fn named<T: FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| Error::new(Code::NotFound, "There is nothing by that name."))
}
