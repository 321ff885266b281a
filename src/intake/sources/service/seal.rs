//! At the start: addresses of feeds that are not encrypted as they should be.

use sea_orm::{EntityTrait, sea_query::Expr};

use super::super::source::{Entity, Model};
use crate::{
    intake::scheduled,
    kernel::{error::Result, reader::Reader, secrets::Keyring, tx::Tx},
};

/// Whether an address is kept as it is that may have secrets in it.
pub async fn shows_addresses(reader: Reader<'_>) -> Result<bool> {
    let sources = reader.models(Entity::find()).await?;
    Ok(sources.iter().any(Model::shows_address))
}

/// Encrypts addresses that were kept as they are, and anew what an older key encrypted.
pub async fn seal_addresses(tx: &mut Tx, keyring: &Keyring) -> Result<()> {
    for before in tx.read().models(Entity::find()).await? {
        if !(before.shows_address() || before.address.is_some() && keyring.rotates()) {
            continue;
        }
        let mut after = before.clone();
        if let Err(error) = before.whole_url(keyring).and_then(|url| after.lead_to(keyring, &url)) {
            tracing::warn!(%error, id = %before.id, "an address of a feed cannot be encrypted anew");
        } else if after.address != before.address {
            let columns = [("url", Expr::val(after.url)), ("address", Expr::val(after.address))];
            scheduled::record_outcome::<Model>(tx, before.id, columns).await?;
        }
    }
    Ok(())
}
