//! Which kind of shop a connector calls.

use url::Url;

use super::{
    connector::{ConnectorKind, Model},
    generic::Generic,
    magento::Magento,
    shop::{Caller, Shop},
    shopify::Shopify,
    woocommerce::Woocommerce,
};
use crate::{
    intake::scheduled::Scheduled,
    kernel::{
        error::{Result, ResultExt},
        http_client::HttpClient,
        secrets::Keyring,
    },
};

/// The shop of a connector.
pub fn open<'a>(
    http_client: &'a HttpClient,
    keyring: &Keyring,
    connector: &Model,
) -> Result<Box<dyn Shop + 'a>> {
    let credentials = connector.open_credentials(keyring)?;
    let base = Url::parse(&connector.base_url).internal()?;
    let caller = |token_header| Caller::new(http_client, base.clone(), credentials.headers(token_header));
    Ok(match connector.kind {
        ConnectorKind::Magento2 => Box::new(Magento(caller(None))),
        ConnectorKind::Woocommerce => Box::new(Woocommerce(caller(None))),
        ConnectorKind::Shopify => {
            Box::new(Shopify::new(caller(Some("X-Shopify-Access-Token")), connector.api_version.as_deref()))
        }
        ConnectorKind::Generic => {
            let map = connector.map.clone().map(|mapped| mapped.0).unwrap_or_default();
            Box::new(Generic { caller: caller(None), map })
        }
    })
}
