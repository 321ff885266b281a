//! Knows callers by what they show: an API key, an access token of ours, or a token of an outside provider.
//!
//! Who somebody is, is remembered for a few seconds, so that most requests ask no database. A change
//! of anybody's rights in this process ends all that is remembered at once; what another instance
//! changed shows when the seconds are over.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono_tz::Tz;
use futures_util::{FutureExt, future::LocalBoxFuture};
use jsonwebtoken::DecodingKey;
use moka::sync::Cache;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    api_keys::{self, api_key},
    identities::{self, VerifiedIdentity as ShownIdentity},
    jws,
    oidc::{Identity, Provider},
    sessions, users,
};
use crate::kernel::{
    actor::{Actor, ActorKind, ActorRef, Role, Scope},
    clock::Timestamp,
    db::Db,
    error::{Code, Error, Result},
    http::auth::{self, Credential},
    reader::Reader,
    tx::Tx,
};

/// How long a caller is remembered.
const REMEMBERED: Duration = Duration::from_secs(5);
/// Callers that are remembered at the most.
const MAX_REMEMBERED: u64 = 10_000;

/// Knows callers by their credentials.
pub struct Authenticator {
    callers: Cache<CacheKey, Arc<Actor>>,
    signing_keys: Cache<String, DecodingKey>,
    origins: Cache<u64, Arc<HashSet<String>>>,
    provider: Option<Provider>,
    used: Mutex<HashMap<Uuid, Timestamp>>,
}

/// What a caller showed, and in which generation of everybody's rights.
#[derive(PartialEq, Eq, Hash)]
struct CacheKey {
    bearer: [u8; 32],
    act_as: Option<Uuid>,
    generation: u64,
}

/// The part of a token that says who must check it.
#[derive(Deserialize)]
struct From {
    iss: String,
}

impl Authenticator {
    /// Accepts tokens and keys of ours, and tokens of an outside provider: its issuer, and the audience they
    /// must name.
    pub fn new(oidc: Option<(String, String)>) -> Result<Self> {
        Ok(Self {
            callers: Cache::builder().max_capacity(MAX_REMEMBERED).time_to_live(REMEMBERED).build(),
            signing_keys: Cache::builder().max_capacity(100).time_to_live(REMEMBERED).build(),
            origins: Cache::builder().max_capacity(10).time_to_live(REMEMBERED).build(),
            provider: oidc.map(|(issuer, audience)| Provider::new(issuer, audience)).transpose()?,
            used: Mutex::default(),
        })
    }

    /// The same, of whose outside provider the settings say that it tells none but verified addresses.
    #[must_use]
    pub fn verifying_emails(self, emails_verified: bool) -> Self {
        Self { provider: self.provider.map(|provider| provider.verifying_emails(emails_verified)), ..self }
    }

    /// Reads the keys of the outside provider again in time. Something calls this every minute, so that no
    /// token has to wait.
    pub fn keep_provider_keys_fresh(&self, now: Timestamp) {
        if let Some(provider) = &self.provider {
            provider.keys().keep_fresh(now);
        }
    }

    /// Writes down when API keys were last used. Something calls this every minute, so that no request has to
    /// write.
    pub async fn flush_last_used(&self, db: &Db) -> Result<()> {
        let used = std::mem::take(&mut *self.used.lock().unwrap_or_else(PoisonError::into_inner));
        if used.is_empty() {
            return Ok(());
        }
        let context = db.system_context("api-keys-last-used");
        db.write(context, async move |tx| api_keys::record_uses(tx, used).await).await
    }

    async fn recognise(&self, db: &Db, Credential { bearer, act_as }: Credential<'_>) -> Result<Arc<Actor>> {
        let act_as = act_as.map(|id| {
            id.parse().map_err(|_| Error::header("X-Act-As", "uuid", "X-Act-As must be the id of a user."))
        });
        let act_as = act_as.transpose()?;
        // The generation is taken before anything is read, so that what is remembered is never newer than it.
        let shown =
            CacheKey { bearer: Sha256::digest(bearer).into(), act_as, generation: db.access_generation() };
        let now = db.clock().now();
        let actor = match self.callers.get(&shown) {
            Some(actor) => actor,
            None => {
                let actor = Arc::new(self.look_up(db, bearer, act_as, now).await?);
                self.callers.insert(shown, actor.clone());
                actor
            }
        };
        if actor.expires_at.is_some_and(|end| end <= now) {
            return Err(invalid("The credential has expired."));
        }
        Ok(actor)
    }

    async fn look_up(&self, db: &Db, bearer: &str, act_as: Option<Uuid>, now: Timestamp) -> Result<Actor> {
        if bearer.starts_with("csl_") {
            return self.program(db, bearer, act_as, now).await;
        }
        if act_as.is_some() {
            return Err(Error::new(Code::NotAllowed, "Only API keys act for others; leave X-Act-As out."));
        }
        let from = jsonwebtoken::dangerous::insecure_decode_claims::<From>(bearer);
        match (from, &self.provider) {
            (Ok(From { iss }), _) if iss == sessions::ISSUER => self.person(db, bearer, now).await,
            (Ok(From { iss }), Some(provider)) if iss == provider.issuer() => {
                let Identity { subject, email, expires_at } = provider.identify(bearer, now).await?;
                let (user, identity) =
                    identities::recognise(db, ShownIdentity { issuer: iss, subject, email }).await?;
                Ok(Actor {
                    identity: Some(identity),
                    expires_at: Some(expires_at),
                    ..users::actor(db.read(), &user).await?
                })
            }
            _ => Err(invalid("The token or key is not one of ours.")),
        }
    }

    /// The person behind an access token.
    async fn person(&self, db: &Db, token: &str, now: Timestamp) -> Result<Actor> {
        let reader = db.read();
        let key = self
            .signing_key(reader, token, now)
            .await?
            .ok_or_else(|| invalid("The access token was not signed by us."))?;
        let claims = sessions::read_token(token, &key, now)?;
        let session = sessions::find_live(reader, claims.sid, now)
            .await?
            .filter(|session| session.user_id == claims.sub);
        let session = session.ok_or_else(|| invalid("The session has ended."))?;
        let user = users::find_active(reader, claims.sub)
            .await?
            .ok_or_else(|| invalid("The account is not active."))?;
        let end = claims.ends_at().min(session.expires_at);
        Ok(Actor { session: Some(session.id), expires_at: Some(end), ..users::actor(reader, &user).await? })
    }

    async fn signing_key(
        &self,
        reader: Reader<'_>,
        token: &str,
        now: Timestamp,
    ) -> Result<Option<DecodingKey>> {
        let Some(kid) = jws::key_id(token)? else { return Ok(None) };
        if let Some(key) = self.signing_keys.get(&kid) {
            return Ok(Some(key));
        }
        let key = sessions::find_key(reader, &kid, now).await?;
        if let Some(key) = &key {
            self.signing_keys.insert(kid, key.clone());
        }
        Ok(key)
    }

    /// The program behind an API key, and the person it acts for.
    async fn program(&self, db: &Db, secret: &str, act_as: Option<Uuid>, now: Timestamp) -> Result<Actor> {
        let reader = db.read();
        let key = api_keys::find_live(reader, secret, now).await?;
        let key = key.ok_or_else(|| invalid("The API key is unknown, expired or revoked."))?;
        let id = key.id;
        let actor = of_key(reader, key, act_as, db.settings().company_zone).await?;
        self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(id, now);
        Ok(actor)
    }

    async fn knows_origin(&self, db: &Db, origin: &str) -> Result<bool> {
        let generation = db.access_generation();
        if let Some(origins) = self.origins.get(&generation) {
            return Ok(origins.contains(origin));
        }
        let origins = Arc::new(api_keys::origins(db.read(), db.clock().now()).await?);
        self.origins.insert(generation, origins.clone());
        Ok(origins.contains(origin))
    }
}

/// What a key may do, for the person that it acts for: nothing that the person whose it is may not do either,
/// and nothing more for being sent in the name of somebody mightier.
async fn of_key(
    reader: Reader<'_>,
    key: api_key::Model,
    act_as: Option<Uuid>,
    company_zone: Tz,
) -> Result<Actor> {
    let owner = match key.owner_id {
        Some(id) => {
            let owner = users::find_active(reader, id).await?;
            Some(owner.ok_or_else(|| invalid("The person whose the API key was is not active."))?.role)
        }
        // Caseload's own.
        None => None,
    };
    let scopes: BTreeSet<Scope> = key.scopes.known_to(owner.unwrap_or(Role::Admin));
    let person = match (act_as, key.user_id) {
        (Some(_), _) if !scopes.contains(&Scope::UsersActAs) => {
            return Err(Error::new(
                Code::NotAllowed,
                "To act for others an API key needs the scope users:act_as.",
            ));
        }
        (Some(id), _) => {
            let user = users::find_active(reader, id).await?;
            Some(user.ok_or_else(|| Error::new(Code::NotAllowed, "X-Act-As names nobody active on staff."))?)
        }
        (None, Some(id)) => {
            let user = users::find_active(reader, id).await?;
            Some(user.ok_or_else(|| invalid("The person that the API key acts for is not active."))?)
        }
        (None, None) => None,
    };
    // A key sees to everybody's work, as managers do, unless its owner does not, or whoever it stands for.
    let highest = if key.bounds.is_some() { Role::Agent } else { Role::Manager };
    let role = owner.map_or(highest, |owner| owner.min(highest));
    let stands_for = match person {
        Some(person) => {
            let actor = users::actor(reader, &person).await?;
            let scopes = scopes.intersection(&actor.scopes).copied().collect();
            Actor {
                acting_for: Some(ActorRef { id: person.id, name: person.name }),
                role: actor.role.min(role),
                scopes,
                ..actor
            }
        }
        None => Actor { role, scopes, ..Actor::system(company_zone) },
    };
    Ok(Actor {
        kind: ActorKind::ApiKey,
        id: key.id,
        name: key.name,
        expires_at: key.expires_at,
        bounds: key.bounds,
        key_owner: key.owner_id,
        ..stands_for
    })
}

/// Who asks, read once more in the transaction of their write: the session, identity or key, the person, and
/// what they may do by now.
#[must_use]
pub fn recognise(tx: &Tx) -> LocalBoxFuture<'_, Result<Actor>> {
    async move {
        let (reader, known) = (tx.read(), tx.context.actor.as_ref());
        match known.kind {
            ActorKind::System => Ok(known.clone()),
            ActorKind::User => {
                if let Some(session) = known.session {
                    sessions::find_live(reader, session, tx.now)
                        .await?
                        .ok_or_else(|| invalid("The session has ended."))?;
                }
                if let Some(identity) = known.identity
                    && !identities::is_linked(reader, identity, known.id).await?
                {
                    return Err(invalid("The account is not linked to the provider any more."));
                }
                let user = users::find_active(reader, known.id)
                    .await?
                    .ok_or_else(|| invalid("The account is not active."))?;
                let Actor { session, identity, expires_at, .. } = *known;
                Ok(Actor { session, identity, expires_at, ..users::actor(reader, &user).await? })
            }
            ActorKind::ApiKey => {
                let key = api_keys::find(reader, known.id).await?.filter(|key| key.is_live(tx.now));
                let key = key.ok_or_else(|| invalid("The API key is unknown, expired or revoked."))?;
                let act_as = known
                    .acting_for
                    .as_ref()
                    .map(|person| person.id)
                    .filter(|person| key.user_id != Some(*person));
                of_key(reader, key, act_as, tx.settings.company_zone).await
            }
        }
    }
    .boxed_local()
}

fn invalid(detail: &str) -> Error {
    Error::new(Code::InvalidToken, detail)
}

impl auth::Authenticator for Authenticator {
    fn authenticate<'a>(
        &'a self,
        db: &'a Db,
        credential: Credential<'a>,
    ) -> LocalBoxFuture<'a, Result<Arc<Actor>>> {
        self.recognise(db, credential).boxed_local()
    }

    fn allows_origin<'a>(&'a self, db: &'a Db, origin: &'a str) -> LocalBoxFuture<'a, Result<bool>> {
        self.knows_origin(db, origin).boxed_local()
    }
}
