//! The rules of identities: found by address once, and from then on by what the provider calls them.

use std::sync::Arc;

use sea_orm::{EntityTrait, QueryFilter, QueryTrait, entity::prelude::*, sea_query::Expr};

use super::{
    identity::{self, Column, Entity, Model},
    json::{IdentityFilter, IdentityView},
};
use crate::{
    access::users::{self, user},
    kernel::{
        db::Db,
        error::{Code, Error, Result},
        filter::FilterExt,
        list::{self, Page, PageRequest},
        reader::Reader,
        text,
        tx::Tx,
    },
};

/// What a token that holds says of somebody.
#[derive(Clone, Debug)]
pub struct VerifiedIdentity {
    /// The provider.
    pub issuer: String,
    /// What it calls them.
    pub subject: String,
    /// Their verified address.
    pub email: String,
}

/// The active person on staff that somebody is, and by which identity. Who comes for the first time is found
/// by the address, and is known by the provider's name for them from then on.
pub async fn recognise(db: &Db, shown: VerifiedIdentity) -> Result<(user::Model, Uuid)> {
    if let Some(identity) = find(db.read(), &shown).await? {
        return Ok((owner(db.read(), &identity).await?, identity.id));
    }
    let user =
        users::by_email(db.read(), &shown.email).await?.filter(|user| user.active).ok_or_else(nobody)?;
    refuse_another(db.read(), user.id, &shown).await?;
    db.write(db.system_context("first-sign-in"), async move |tx| {
        // Whoever shows the same is decided about one after the other, and so is whoever would be the same
        // person.
        tx.advisory_lock(text::lock_key(&format!("identity {} {}", shown.issuer, shown.subject))).await?;
        let user: user::Model = tx.lock::<user::Entity>(user.id, "user").await?;
        if let Some(identity) = find(tx.read(), &shown).await? {
            return Ok((owner(tx.read(), &identity).await?, identity.id));
        }
        if !user.active || user.email_key != text::email_key(&shown.email) {
            return Err(nobody());
        }
        refuse_another(tx.read(), user.id, &shown).await?;
        tx.context.actor = Arc::new(users::actor(tx.read(), &user).await?);
        let identity = link(tx, &user, shown).await?;
        Ok((user, identity))
    })
    .await
}

/// Whether somebody is still who they were to a provider.
pub async fn is_linked(reader: Reader<'_>, id: Uuid, user_id: Uuid) -> Result<bool> {
    reader.any(Entity::find_by_id(id).filter(Column::UserId.eq(user_id)).into_query()).await
}

/// Has a person be somebody to a provider from now on: the id of that identity.
pub async fn link(tx: &mut Tx, user: &user::Model, shown: VerifiedIdentity) -> Result<Uuid> {
    let VerifiedIdentity { issuer, subject, email } = shown;
    let identity =
        Model { id: tx.id(), user_id: user.id, issuer, subject, email, created_at: tx.now, version: 1 };
    tx.create(&identity, identity::LINKED).await?;
    Ok(identity.id)
}

/// Has a person not be somebody to a provider any more. Nobody does that to a person of a higher role than
/// their own: whoever has their address at the provider would be them from then on.
pub async fn unlink(tx: &mut Tx, user_id: Uuid, id: Uuid) -> Result<()> {
    let user = users::lock_for_share(tx, user_id).await?.ok_or_else(|| Error::not_found("user"))?;
    if tx.context.actor.is_outranked_by(user.role) {
        return Err(Error::new(Code::NotAllowed, "Nobody unlinks a person of a higher role than their own."));
    }
    let identity: Model = tx.lock::<Entity>(id, "identity").await?;
    if identity.user_id != user_id {
        return Err(Error::not_found("identity"));
    }
    tx.check_version(&identity, "identity")?;
    tx.remove(&identity, identity::UNLINKED).await
}

/// Who a person is to providers.
pub async fn page(
    reader: Reader<'_>,
    user_id: Uuid,
    filter: &IdentityFilter,
    request: &PageRequest,
) -> Result<Page<IdentityView>> {
    users::find(reader, user_id).await?;
    let base = Entity::find().filter(Column::UserId.eq(user_id)).into_query();
    let page = list::page::<Model>(reader, request, base, |select| {
        select.equals(Expr::col((Entity, Column::Issuer)), filter.issuer.clone());
    })
    .await?;
    Ok(page.map(IdentityView::from))
}

async fn find(reader: Reader<'_>, shown: &VerifiedIdentity) -> Result<Option<Model>> {
    reader
        .model(
            Entity::find()
                .filter(Column::Issuer.eq(&shown.issuer))
                .filter(Column::Subject.eq(&shown.subject)),
        )
        .await
}

/// Whose identity it is, while they are active.
async fn owner(reader: Reader<'_>, identity: &Model) -> Result<user::Model> {
    users::find_active(reader, identity.user_id)
        .await?
        .ok_or_else(|| invalid("The account that this token belongs to is not active."))
}

/// Refuses whoever comes with an address whose owner the provider calls otherwise.
async fn refuse_another(reader: Reader<'_>, user_id: Uuid, shown: &VerifiedIdentity) -> Result<()> {
    let other = Entity::find().filter(Column::UserId.eq(user_id)).filter(Column::Issuer.eq(&shown.issuer));
    if reader.any(other.filter(Column::Subject.ne(&shown.subject)).into_query()).await? {
        return Err(invalid(
            "The account with this e-mail address belongs to another subject of the provider; an \
             administrator can unlink it.",
        ));
    }
    Ok(())
}

fn nobody() -> Error {
    invalid("Nobody active on staff has the e-mail address of this token.")
}

fn invalid(detail: &str) -> Error {
    Error::new(Code::InvalidToken, detail)
}
