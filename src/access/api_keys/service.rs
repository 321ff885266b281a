//! The rules of API keys.

use std::collections::{BTreeSet, HashSet};

use sea_orm::{
    EntityTrait, QueryFilter, QueryTrait,
    entity::prelude::*,
    sea_query::{Cond, Expr, ExprTrait, SelectStatement},
};

use super::{
    api_key::{self, ApiKeyRow, Column, Entity, Model, Scopes},
    json::{ApiKeyFilter, ApiKeyKind, ApiKeyPatch, ApiKeyView, NewApiKey},
};
use crate::{
    access::{secret, users},
    kernel::{
        actor::{Actor, ActorKind, Bounds, Scope},
        clock::Timestamp,
        error::{Code, Error, Result, Violation, Violations},
        filter::{FilterExt, Flag},
        list::{self, Page, PageRequest},
        reader::Reader,
        tx::Tx,
    },
};

/// Adds a key; the secret is in the answer and nowhere else.
pub async fn create(tx: &mut Tx, new: NewApiKey) -> Result<(Model, String)> {
    let scopes = granted(&tx.context.actor, &new.scopes, &BTreeSet::new())?;
    let bounds = match new.kind {
        ApiKeyKind::Publishable => Some(Bounds { forms: new.forms.into(), origins: new.origins.into() }),
        ApiKeyKind::Secret => {
            refuse_bounds(!new.forms.is_empty(), !new.origins.is_empty())?;
            None
        }
    };
    if let Some(bounds) = &bounds {
        check_bounds(bounds, &scopes)?;
        if new.user_id.is_some() {
            return Err(Error::field("user_id", "not_here", "a publishable key acts for nobody"));
        }
    }
    if let Some(user_id) = new.user_id {
        if tx.context.actor.user() != Some(user_id) && !tx.context.actor.may_grant(Scope::UsersActAs) {
            return Err(Error::new(
                Code::NotAllowed,
                "A key for somebody else takes the right to act for others, users:act_as.",
            ));
        }
        let user = users::lock_for_share(tx, user_id).await?.filter(|user| user.active);
        user.ok_or_else(|| Error::field("user_id", "unknown", "is no active user"))?;
    }
    refuse_past(new.expires_at, tx.now)?;
    refuse_beyond_ones_own(&tx.context.actor, new.expires_at)?;
    let secret = secret::new(if bounds.is_some() { PUBLISHABLE } else { "csl_" });
    let key = Model {
        id: tx.id(),
        name: new.name.into(),
        secret_hash: secret::hash(&secret),
        hint: secret[secret.len() - 4..].to_owned(),
        scopes,
        bounds,
        user_id: new.user_id,
        owner_id: tx.context.actor.owner(),
        created_by_id: tx.context.actor.author(),
        expires_at: new.expires_at,
        last_used_at: None,
        revoked_at: None,
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
    };
    tx.create(&key, api_key::CREATED).await?;
    Ok((key, secret))
}

/// Changes a key that has not been revoked.
pub async fn update(tx: &mut Tx, id: Uuid, patch: ApiKeyPatch) -> Result<Model> {
    // It would go on when they leave who answer for it.
    if tx.context.actor.kind == ActorKind::ApiKey && !patch.owner_id.is_absent() {
        return Err(Error::new(
            Code::NotAllowed,
            "An API key hands over neither itself nor another key: a person does.",
        )
        .with_violation(Violation::field("owner_id", "not_held", "is for people")));
    }
    let before: Model = tx.target(id, "API key").await?;
    if before.revoked_at.is_some() {
        return Err(Error::new(Code::WrongStatus, "The API key has been revoked."));
    }
    let mut after = before.clone();
    patch.name.over(&mut after.name);
    if let Some(named) = patch.scopes.value() {
        after.scopes = granted(&tx.context.actor, named, &before.scopes.known())?;
    }
    match &mut after.bounds {
        Some(bounds) => {
            patch.forms.over(&mut bounds.forms);
            patch.origins.over(&mut bounds.origins);
            check_bounds(bounds, &after.scopes)?;
        }
        None => refuse_bounds(!patch.forms.is_absent(), !patch.origins.is_absent())?,
    }
    refuse_past(patch.expires_at.value().copied(), tx.now)?;
    patch.expires_at.onto(&mut after.expires_at);
    if let Some(owner) = patch.owner_id.into_value() {
        after.owner_id = Some(owner);
    }
    check_widening(tx, &before, &after).await?;
    tx.change(&before, after, api_key::UPDATED).await
}

/// What makes a key last longer, open more, or somebody else's: only who could hand it out anew may do that.
async fn check_widening(tx: &mut Tx, before: &Model, after: &Model) -> Result<()> {
    let lasts_longer = match (before.expires_at, after.expires_at) {
        (Some(end), Some(later)) => later > end,
        (Some(_), None) => true,
        (None, _) => false,
    };
    let mut widened = Vec::new();
    if lasts_longer {
        refuse_beyond_ones_own(&tx.context.actor, after.expires_at)?;
        widened.push("expires_at");
    }
    if let (Some(before), Some(after)) = (&before.bounds, &after.bounds) {
        let opens_more =
            |before: &[String], after: &[String]| after.iter().any(|named| !before.contains(named));
        widened.extend(opens_more(&before.forms, &after.forms).then_some("forms"));
        widened.extend(opens_more(&before.origins, &after.origins).then_some("origins"));
    }
    if let Some(owner) = after.owner_id.filter(|owner| before.owner_id != Some(*owner)) {
        let owner = users::lock_for_share(tx, owner).await?.filter(|owner| owner.active);
        let owner = owner.ok_or_else(|| Error::field("owner_id", "unknown", "is no active user"))?;
        if after.scopes.known_to(owner.role) != after.scopes.known() {
            return Err(Error::field(
                "owner_id",
                "not_held",
                format!("{} does not have all scopes of the key", owner.name),
            ));
        }
        widened.push("owner_id");
    }
    let beyond = after.scopes.known().iter().any(|scope| !tx.context.actor.may_grant(*scope));
    if beyond && !widened.is_empty() {
        let refusal = Error::new(Code::NotAllowed, "The key has scopes that are not yours to hand out.");
        let violation = |field| Violation::field(field, "not_held", "is for who has every scope of the key");
        return Err(widened.into_iter().map(violation).fold(refusal, Error::with_violation));
    }
    Ok(())
}

/// A key gives no key more time than it has itself.
fn refuse_beyond_ones_own(actor: &Actor, expires_at: Option<Timestamp>) -> Result<()> {
    match actor.expires_at.filter(|_| actor.kind == ActorKind::ApiKey) {
        Some(end) if expires_at.is_none_or(|wanted| wanted > end) => {
            Err(Error::new(Code::NotAllowed, "An API key gives no key more time than it has itself.")
                .with_violation(Violation::field(
                    "expires_at",
                    "not_held",
                    format!("must not be after {end}, when the key that asks ends"),
                )))
        }
        _ => Ok(()),
    }
}

/// How publishable keys begin, so that people and scanners tell them from secrets.
const PUBLISHABLE: &str = "csl_pub_";

/// A publishable key posts to some forms from the pages of some origins, and does nothing else.
fn check_bounds(bounds: &Bounds, scopes: &Scopes) -> Result<()> {
    let mut violations = Violations::default();
    if scopes.0 != [Scope::IntakeWrite.as_str()] {
        violations.collect::<()>(Err(Error::field(
            "scopes",
            "not_here",
            "a publishable key has the scope intake:write alone",
        )))?;
    }
    for (field, named) in [("forms", &bounds.forms), ("origins", &bounds.origins)] {
        if named.is_empty() {
            violations.collect::<()>(Err(Error::field(
                field,
                "required",
                format!("a publishable key needs its {field}"),
            )))?;
        }
    }
    violations.into_result()
}

fn refuse_bounds(forms: bool, origins: bool) -> Result<()> {
    let named = [("forms", forms), ("origins", origins)].into_iter().filter(|(_, named)| *named);
    let broken: Vec<Violation> = named
        .map(|(field, _)| Violation::field(field, "not_here", format!("only publishable keys have {field}")))
        .collect();
    if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
}

/// The origins of all pages that may post with a publishable key.
pub async fn origins(reader: Reader<'_>, now: Timestamp) -> Result<HashSet<String>> {
    let bound = reader
        .models(Entity::find().filter(Column::Bounds.is_not_null()).filter(Column::RevokedAt.is_null()))
        .await?;
    let live = bound.into_iter().filter(|key| key.is_live(now)).filter_map(|key| key.bounds);
    Ok(live.flat_map(|bounds| bounds.origins).collect())
}

/// Makes a key open nothing any more; once revoked it stays so.
pub async fn revoke(tx: &mut Tx, id: Uuid) -> Result<Model> {
    let before: Model = tx.target(id, "API key").await?;
    let revoked_at = before.revoked_at.or(Some(tx.now));
    tx.change(&before, Model { revoked_at, ..before.clone() }, api_key::REVOKED).await
}

/// The scopes that a key gets: all must exist, and each be held by the key already or by who hands it out.
fn granted(actor: &Actor, named: &[String], held: &BTreeSet<Scope>) -> Result<Scopes> {
    let mut scopes = BTreeSet::new();
    let (mut unknown, mut beyond) = (Vec::new(), Vec::new());
    for (index, name) in named.iter().enumerate() {
        let at = format!("scopes/{index}");
        match name.parse::<Scope>() {
            Err(()) => unknown.push(Violation::field(&at, "unknown_value", format!("{name:?} is no scope"))),
            Ok(scope) if !held.contains(&scope) && !actor.may_grant(scope) => {
                beyond.push(Violation::field(&at, "not_held", format!("{scope} is not yours to hand out")));
            }
            Ok(scope) => drop(scopes.insert(scope)),
        }
    }
    if !unknown.is_empty() {
        return Err(Error::invalid(unknown));
    }
    if !beyond.is_empty() {
        let refusal = Error::new(Code::NotAllowed, "Nobody can hand out scopes that they do not have.");
        return Err(beyond.into_iter().fold(refusal, Error::with_violation));
    }
    Ok(scopes.into_iter().collect())
}

fn refuse_past(expires_at: Option<Timestamp>, now: Timestamp) -> Result<()> {
    match expires_at {
        Some(end) if end <= now => Err(Error::field("expires_at", "too_early", "must be in the future")),
        _ => Ok(()),
    }
}

/// One key.
pub async fn find(reader: Reader<'_>, id: Uuid) -> Result<Option<Model>> {
    reader.model(Entity::find_by_id(id)).await
}

/// The key of a secret, if it opens anything.
pub async fn find_live(reader: Reader<'_>, secret: &str, now: Timestamp) -> Result<Option<Model>> {
    let key = reader.model(Entity::find().filter(Column::SecretHash.eq(secret::hash(secret)))).await?;
    Ok(key.filter(|key| key.is_live(now)))
}

/// Keeps when keys were last used: neither a change of the keys nor an event.
pub async fn record_uses(tx: &mut Tx, uses: impl IntoIterator<Item = (Uuid, Timestamp)>) -> Result<()> {
    for (id, at) in uses {
        let earlier = Column::LastUsedAt.is_null().or(Column::LastUsedAt.lt(at));
        let update = Entity::update_many()
            .col_expr(Column::LastUsedAt, Expr::val(at))
            .filter(Column::Id.eq(id))
            .filter(earlier);
        tx.execute(&update.into_query()).await?;
    }
    Ok(())
}

/// Keys with the names of their people.
fn shown() -> SelectStatement {
    let mut select = Entity::find().into_query();
    users::person_column(&mut select, Expr::col((Entity, Column::UserId)), "user_name");
    users::person_column(&mut select, Expr::col((Entity, Column::OwnerId)), "owner_name");
    users::person_column(&mut select, Expr::col((Entity, Column::CreatedById)), "created_by_name");
    select
}

/// A page of keys.
pub async fn page(
    reader: Reader<'_>,
    filter: ApiKeyFilter,
    now: Timestamp,
    request: &PageRequest,
) -> Result<Page<ApiKeyView>> {
    let page = list::page::<ApiKeyRow>(reader, request, shown(), |select| {
        select
            .equals(Expr::col((Entity, Column::UserId)), filter.user)
            .equals(Expr::col((Entity, Column::OwnerId)), filter.owner);
        if let Some(Flag(active)) = filter.active {
            let (revoked, end) =
                (Expr::col((Entity, Column::RevokedAt)), Expr::col((Entity, Column::ExpiresAt)));
            let live = Cond::all().add(revoked.is_null()).add(end.clone().is_null().or(end.gt(now)));
            select.cond_where(if active { live } else { live.not() });
        }
    })
    .await?;
    Ok(page.map(ApiKeyView::from))
}

/// One key as others see it.
pub async fn view(reader: Reader<'_>, id: Uuid) -> Result<ApiKeyView> {
    let one = shown().and_where(Expr::col((Entity, Column::Id)).eq(id)).to_owned();
    reader.one::<ApiKeyRow>(&one).await?.map(ApiKeyView::from).ok_or_else(|| Error::not_found("API key"))
}
