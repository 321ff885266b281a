//! The extractors of bodies, and the write that follows.

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use futures_util::{FutureExt, future::LocalBoxFuture};
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use validator::Validate;

use super::{
    budget::BodyBudget,
    receive::{Received, receive_from_anybody, receive_from_caller, receive_nothing},
};

use crate::kernel::{
    context::Context,
    db::Db,
    error::{Error, Result},
    idempotency::{self, Reply},
    tx::Tx,
};

/// What a body can be: its description says what is wrong with one that it is not.
pub trait Body: DeserializeOwned + Validate + ToSchema + 'static {}

impl<T: DeserializeOwned + Validate + ToSchema + 'static> Body for T {}

/// A request that changes something: its context and its body.
pub struct JsonBody<T> {
    /// The request.
    pub context: Context,
    /// Its body, already of the right shape and within its limits.
    pub body: T,
    pub(super) room: BodyBudget,
}

impl<T: 'static> JsonBody<T> {
    /// Does the work in one transaction, once however often the request is sent with the same key.
    pub fn write<F>(self, db: &Db, work: F) -> impl Future<Output = Result<Reply>>
    where
        F: AsyncFnOnce(&mut Tx, T) -> Result<Reply> + 'static,
    {
        let Self { context, body, room } = self;
        write(db, context, room, Box::new(|tx| work(tx, body).boxed_local()))
    }
}

impl<T: Body> JsonBody<T> {
    fn of(received: Received) -> Result<Self> {
        let Received { context, json, room } = received;
        let body: T = json.decode()?;
        body.validate()?;
        Ok(Self { context, body, room })
    }
}

impl<T: Body> FromRequest for JsonBody<T> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        receive_from_caller(request, payload).map(|received| Self::of(received?)).boxed_local()
    }
}

/// A call of an operation that needs no credential: its actor is nobody, and its body is small.
pub struct PublicJsonBody<T>(pub JsonBody<T>);

impl<T: Body> FromRequest for PublicJsonBody<T> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let received = receive_from_anybody(request, payload);
        received.map(|received| JsonBody::of(received?).map(Self)).boxed_local()
    }
}

/// A command that takes no body.
pub struct NoBody {
    /// The request.
    pub context: Context,
}

impl NoBody {
    /// Does the work in one transaction, once however often the request is sent with the same key.
    pub fn write<F>(self, db: &Db, work: F) -> impl Future<Output = Result<Reply>>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<Reply> + 'static,
    {
        write(db, self.context, None, Box::new(|tx| work(tx).boxed_local()))
    }
}

impl FromRequest for NoBody {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        async move {
            let context = receive_nothing(&request, payload).await?;
            Ok(Self { context })
        }
        .boxed_local()
    }
}

/// What is done in one transaction, boxed so that what surrounds it is compiled once.
type Work = Box<dyn FnOnce(&mut Tx) -> LocalBoxFuture<'_, Result<Reply>>>;

/// Does the work in one transaction, once however often the request is sent with the same key. What came of
/// it is shown to whoever may read that, the first time and whenever it is answered again.
async fn write(db: &Db, context: Context, room: BodyBudget, work: Work) -> Result<Reply> {
    db.write(context, async move |tx| {
        let work = async move |tx: &mut Tx| {
            let _room = room;
            tx.check_administrative_rights().await?;
            work(tx).await?.into_readable(tx)
        };
        idempotency::once(tx, work).await?.into_readable(tx)
    })
    .await
}
