//! What other lists may ask of the contacts of their rows (B-7).

use sea_orm::sea_query::{Alias, Cond, Expr, ExprTrait, JoinType, Query, SelectStatement, UnionType};
use uuid::Uuid;

use super::{
    contact::{Column, Entity, Kind, postal_key},
    json::{AccountReps, ContactKinds},
};
use crate::kernel::{
    actor::{Actor, Scope},
    error::Result,
    filter::{AnyOf, FilterExt, Flag, OwnerFilter, owned_by},
};

/// What the contact of a row must be like; a merged one is as its survivor.
#[derive(Clone, Copy, Debug, Default)]
pub struct Criteria<'a> {
    /// One of these kinds.
    pub kind: Option<&'a ContactKinds>,
    /// In one of these countries.
    pub country: Option<&'a AnyOf<String>>,
    /// Where the postal code begins like one of these.
    pub postal_code_prefix: Option<&'a AnyOf<String>>,
    /// An account of one of these reps.
    pub owner: Option<&'a AccountReps>,
    /// The shop itself, or anything but; whatever is about nobody is not about the shop.
    pub own_company: Option<Flag>,
}

impl Criteria<'_> {
    /// Refuses whoever asks what contacts are like and may not read them.
    pub fn may_be_asked_by(&self, actor: &Actor) -> Result<()> {
        let Self { kind, country, postal_code_prefix, owner, own_company } = self;
        let asks = kind.is_some()
            || country.is_some()
            || postal_code_prefix.is_some()
            || owner.is_some()
            || own_company.is_some();
        if asks { actor.may(Scope::ContactsRead) } else { Ok(()) }
    }
}

/// Adds what the contacts must be like whose ids are in a column.
pub fn narrow_by(select: &mut SelectStatement, column: &Expr, criteria: Criteria<'_>, me: Option<Uuid>) {
    let Criteria { kind, country, postal_code_prefix, owner, own_company } = criteria;
    if kind.is_some() || country.is_some() || postal_code_prefix.is_some() || owner.is_some() {
        let narrow = |contacts: &mut SelectStatement, of: &Alias| {
            let of = |column: Column| Expr::col((of.clone(), column));
            contacts
                .any_of(of(Column::Kind), kind)
                .any_of(of(Column::Country), country.map(in_capitals).as_ref());
            if let Some(AnyOf(prefixes)) = postal_code_prefix {
                let begin = |prefix: &String| begins(&of(Column::PostalKey), postal_key(prefix));
                contacts.cond_where(prefixes.iter().map(begin).fold(Cond::any(), Cond::add));
            }
            if let Some(AnyOf(reps)) = owner {
                contacts.cond_where(of_reps(of(Column::OwnerId), reps, me));
            }
        };
        if postal_code_prefix.is_some() || owner.is_some() {
            // Few: they come first.
            select.and_where(column.clone().in_subquery(clusters(narrow)));
        } else {
            let (own, root) = (Alias::new("own"), Alias::new("root"));
            let mut contact = Query::select();
            contact
                .expr(Expr::val(1))
                .from_as(Entity, own.clone())
                .join_as(
                    JoinType::InnerJoin,
                    Entity,
                    root.clone(),
                    Expr::col((root.clone(), Column::Id)).equals((own.clone(), Column::RootId)),
                )
                .and_where(Expr::col((own, Column::Id)).eq(column.clone()));
            narrow(&mut contact, &root);
            select.and_where(Expr::exists(contact));
        }
    }
    if let Some(Flag(wanted)) = own_company {
        let own = clusters(|contacts, of| {
            contacts.and_where(Expr::col((of.clone(), Column::Kind)).eq(Kind::OwnCompany));
        });
        if wanted {
            select.and_where(column.clone().in_subquery(own));
        } else {
            select.cond_where(
                Cond::any().add(column.clone().is_null()).add(column.clone().not_in_subquery(own)),
            );
        }
    }
}

/// The ids of contacts, and of all that were merged into them.
fn clusters(narrow: impl Fn(&mut SelectStatement, &Alias)) -> SelectStatement {
    let (root, merged) = (Alias::new("root"), Alias::new("merged"));
    let mut roots = Query::select();
    roots.column((root.clone(), Column::Id)).from_as(Entity, root.clone());
    let mut absorbed = Query::select();
    absorbed
        .column((merged.clone(), Column::Id))
        .from_as(Entity, root.clone())
        .join_as(
            JoinType::InnerJoin,
            Entity,
            merged.clone(),
            Expr::col((merged.clone(), Column::RootId)).equals((root.clone(), Column::Id)),
        )
        .and_where(Expr::col((merged, Column::MergedIntoId)).is_not_null())
        .and_where(Expr::col((root.clone(), Column::Absorbed)).gt(0));
    for contacts in [&mut roots, &mut absorbed] {
        contacts.and_where(Expr::col((root.clone(), Column::MergedIntoId)).is_null());
        narrow(contacts, &root);
    }
    roots.union(UnionType::All, absorbed).to_owned()
}

/// Accounts of one of these reps, or of none.
pub fn of_reps(column: Expr, reps: &[OwnerFilter], me: Option<Uuid>) -> Cond {
    let people: Vec<OwnerFilter> = reps.iter().copied().filter(|rep| *rep != OwnerFilter::Nobody).collect();
    let mut any = Cond::any();
    if !people.is_empty() {
        any = any.add(owned_by(column.clone(), &people, me));
    }
    if people.len() < reps.len() {
        any = any.add(column.is_null());
    }
    any
}

/// Codes of countries as they are kept.
pub fn in_capitals(countries: &AnyOf<String>) -> AnyOf<String> {
    AnyOf(countries.0.iter().map(|country| country.to_ascii_uppercase()).collect())
}

/// Text that begins like this: a range, which an index serves.
pub fn begins(column: &Expr, prefix: String) -> Expr {
    let after = format!("{prefix}\u{10ffff}");
    column.clone().gte(prefix).and(column.clone().lt(after))
}
