//! The keys of access tokens: each signs for thirty days, is published for one more, and is gone.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ed25519_dalek::{
    SigningKey,
    pkcs8::{EncodePrivateKey, KeypairBytes},
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QueryTrait, entity::prelude::*};
use serde::{Deserialize, Serialize};

use super::{
    sealing,
    signing_key::{Column, Entity, Model},
};
use crate::kernel::{
    clock::Timestamp,
    error::{Code, Error, Result, ResultExt},
    reader::Reader,
    secrets::Keyring,
    services::Services,
    tx::Tx,
};

/// Who our tokens say they are from.
pub const ISSUER: &str = "caseload";

const DAY: i64 = 24 * 60 * 60;
const SIGNS_SECONDS: i64 = 30 * DAY;
const PUBLISHED_SECONDS: i64 = SIGNS_SECONDS + DAY;

/// What an access token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// Who made it.
    pub iss: String,
    /// Whose it is.
    pub sub: Uuid,
    /// The session that it belongs to.
    pub sid: Uuid,
    /// When it was made, in seconds.
    pub iat: i64,
    /// When it ends, in seconds.
    pub exp: i64,
    /// Its own id.
    pub jti: Uuid,
}

impl Claims {
    /// When the token ends.
    #[must_use]
    pub const fn ends_at(&self) -> Timestamp {
        Timestamp(self.exp.saturating_mul(1_000_000))
    }
}

/// A key with which tokens can be signed now.
pub struct Signer {
    kid: String,
    key: EncodingKey,
}

impl Signer {
    /// The token that says this.
    pub fn sign(&self, claims: &Claims) -> Result<String> {
        let header = Header { kid: Some(self.kid.clone()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, claims, &self.key).internal()
    }
}

/// The advisory lock of the signing keys.
const SIGNING_KEYS: i64 = 4_919_004;

/// The newest key; made when there is none that still signs.
pub async fn signer(Services { db, keyring, .. }: &Services) -> Result<Signer> {
    if let Some(signer) = newest(db.read(), keyring, db.clock().now()).await? {
        return Ok(signer);
    }
    let keyring = keyring.clone();
    db.write(db.system_context("signing-key"), async move |tx| {
        lock_rotation(tx).await?;
        rotate(tx, &keyring).await
    })
    .await
}

/// Lets no other instance make or encrypt signing keys until the end.
pub async fn lock_rotation(tx: &mut Tx) -> Result<()> {
    tx.advisory_lock(SIGNING_KEYS).await
}

/// The newest key that is not encrypted with a key which only another instance has.
async fn newest(reader: Reader<'_>, keyring: &Keyring, now: Timestamp) -> Result<Option<Signer>> {
    let signing = Entity::find().filter(Column::CreatedAt.gt(now.plus_seconds(-SIGNS_SECONDS)));
    let rows = reader.models(signing.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id)).await?;
    for row in rows {
        if let Some(private_key) = sealing::opened(&row, keyring)? {
            return Ok(Some(Signer { kid: row.id, key: EncodingKey::from_ed_der(&private_key) }));
        }
    }
    Ok(None)
}

/// The newest key that signs; a new one if there is none. Whoever calls it is alone.
pub async fn rotate(tx: &mut Tx, keyring: &Keyring) -> Result<Signer> {
    if let Some(made_meanwhile) = newest(tx.read(), keyring, tx.now).await? {
        return Ok(made_meanwhile);
    }
    let gone = Entity::delete_many().filter(Column::CreatedAt.lte(tx.now.plus_seconds(-PUBLISHED_SECONDS)));
    tx.execute(&gone.into_query()).await?;
    let pair = SigningKey::from_bytes(&rand::random());
    let private = KeypairBytes { secret_key: pair.to_bytes(), public_key: None };
    let private_key = private.to_pkcs8_der().internal()?.as_bytes().to_vec();
    let signer = Signer { kid: tx.id().to_string(), key: EncodingKey::from_ed_der(&private_key) };
    let row = Model {
        id: signer.kid.clone(),
        private_key,
        sealed: false,
        public_key: BASE64_URL_SAFE_NO_PAD.encode(pair.verifying_key()),
        created_at: tx.now,
    };
    let row = sealing::sealed(row, keyring)?;
    tx.insert_unjournaled(row).await?;
    Ok(signer)
}

/// The keys with which tokens may be checked, oldest first.
pub async fn published(reader: Reader<'_>, now: Timestamp) -> Result<Vec<Model>> {
    let published = Entity::find().filter(Column::CreatedAt.gt(now.plus_seconds(-PUBLISHED_SECONDS)));
    reader.models(published.order_by_asc(Column::CreatedAt).order_by_asc(Column::Id)).await
}

/// The key of a token, if it is one of ours.
pub async fn find(reader: Reader<'_>, kid: &str, now: Timestamp) -> Result<Option<DecodingKey>> {
    let published =
        Entity::find_by_id(kid).filter(Column::CreatedAt.gt(now.plus_seconds(-PUBLISHED_SECONDS)));
    let row = reader.model(published).await?;
    row.map(|row| DecodingKey::from_ed_components(&row.public_key).internal()).transpose()
}

/// What a token says, if it was signed with the key and has not ended.
pub fn read(token: &str, key: &DecodingKey, now: Timestamp) -> Result<Claims> {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_issuer(&[ISSUER]);
    validation.set_required_spec_claims(&["exp", "iss"]);
    // Time is checked by our own clock.
    validation.validate_exp = false;
    validation.validate_aud = false;
    let invalid = |_| Error::new(Code::InvalidToken, "The access token is damaged.");
    let claims = jsonwebtoken::decode::<Claims>(token, key, &validation).map_err(invalid)?.claims;
    if claims.ends_at() <= now {
        return Err(Error::new(Code::InvalidToken, "The access token has expired."));
    }
    Ok(claims)
}
