//! What a contact is known by: addresses, numbers, names and the ids of other systems, as they are compared.

use sea_orm::entity::prelude::*;

crate::choice! {
    /// In which way a key identifies.
    KeyKind {
        /// The id that another system gave: `source` and id. Nobody else has it.
        External = "external",
        /// An e-mail address.
        Email = "email",
        /// The same without a plus-tag.
        Mailbox = "mailbox",
        /// A phone number in its international form.
        Phone = "phone",
        /// The same, as only a form has said it: it is looked for by people, and makes nobody anybody.
        ClaimedPhone = "claimed_phone",
        /// The full name and the postal code.
        NameAndPlace = "name_and_place",
        /// The last name and the postal code.
        SurnameAndPlace = "surname_and_place",
        /// The full name.
        Name = "name",
    }
}

/// One key of a contact.
#[derive(Clone, Debug, PartialEq, Eq, Hash, DeriveEntityModel)]
#[sea_orm(table_name = "contact_keys")]
pub struct Model {
    /// In which way it identifies.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: KeyKind,
    /// As it is compared.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// Whose it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub contact_id: Uuid,
}

/// None: queries join by the columns they name.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The key of an id that another system gave.
#[must_use]
pub fn external(source: &str, id: &str) -> String {
    format!("{source}:{id}")
}
