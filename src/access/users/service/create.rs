//! Adding a person to the staff.

use super::super::{
    json::NewUser,
    user::{self, Model},
};
use super::{
    find::nobody_yet,
    refuse::{refuse_beyond_ones_own, refuse_taken},
};
use crate::kernel::{actor::Role, error::Result, text, tx::Tx};

/// Adds a person.
pub async fn create(tx: &mut Tx, new: NewUser, password_hash: Option<String>) -> Result<Model> {
    let mightier = if tx.context.actor.has_role(new.role) { Vec::new() } else { vec!["role"] };
    refuse_beyond_ones_own(mightier)?;
    let email_key = text::email_key(&new.email);
    refuse_taken(tx, &email_key, None).await?;
    let user = Model {
        id: tx.id(),
        email: new.email.trim().to_owned(),
        email_key,
        name: new.name.into(),
        role: new.role,
        active: true,
        time_zone: new.time_zone.map_or_else(|| tx.settings.company_zone.name().to_owned(), String::from),
        language: new.language.map(String::from),
        password_hash,
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
    };
    tx.create(&user, user::CREATED).await?;
    Ok(user)
}

/// The first administrator: made only when there is no user.
pub async fn first_admin(tx: &mut Tx, email: String, password_hash: String) -> Result<Option<Model>> {
    if !nobody_yet(tx.read()).await? {
        return Ok(None);
    }
    let new = NewUser {
        email: email.into(),
        name: "Administrator".into(),
        role: Role::Admin,
        password: None,
        time_zone: None,
        language: None,
    };
    create(tx, new, Some(password_hash)).await.map(Some)
}
