//! Who else a contact may be, with reasons and certainty (S4-15).

use std::collections::{BTreeSet, HashMap};

use sea_orm::{
    FromQueryResult,
    entity::prelude::*,
    sea_query::{Alias, Cond, Expr, ExprTrait, Query},
};

use super::{
    contact::{Column, Entity, Model},
    json::{CandidateView, Reason},
    key::{self, KeyKind},
    merging::merged_into,
};
use crate::kernel::{error::Result, reader::Reader};

/// Candidates that are shown.
const MAX_CANDIDATES: usize = 10;
/// Keys in common that are looked at.
const MAX_IN_COMMON: u64 = 500;

#[derive(FromQueryResult)]
struct SharedKeyRow {
    kind: KeyKind,
    root_id: Uuid,
}

impl KeyKind {
    /// What it says when two contacts have it in common, and how sure that makes.
    const fn evidence(self) -> Option<(Reason, f64)> {
        match self {
            Self::External | Self::ClaimedPhone => None,
            Self::Email => Some((Reason::Email, 0.9)),
            Self::Mailbox => Some((Reason::Mailbox, 0.7)),
            Self::Phone => Some((Reason::Phone, 0.7)),
            Self::NameAndPlace => Some((Reason::NameAndPostalCode, 0.8)),
            Self::SurnameAndPlace => Some((Reason::SurnameAndPostalCode, 0.5)),
            Self::Name => Some((Reason::Name, 0.3)),
        }
    }

    /// What says less than this and follows from it.
    const fn implies(self) -> &'static [Self] {
        match self {
            Self::Email => &[Self::Mailbox],
            Self::NameAndPlace => &[Self::SurnameAndPlace, Self::Name],
            _ => &[],
        }
    }
}

/// Who else a contact may be, with reasons and certainty; worked out afresh each time (S4-15).
pub async fn candidates(reader: Reader<'_>, contact: &Model) -> Result<Vec<CandidateView>> {
    let id = contact.id;
    let mut own = if contact.absorbed > 0 { merged_into(reader, &[id]).await? } else { Vec::new() };
    own.push(contact.clone());
    let ids: BTreeSet<(&str, &str)> = own
        .iter()
        .flat_map(|contact| &contact.external_ids.0)
        .map(|(source, id)| (source.as_str(), id.as_str()))
        .collect();
    let keys = own.iter().flat_map(Model::keys).filter(|key| key.kind.evidence().is_some());
    let same = keys.fold(Cond::any(), |any, key| {
        any.add(column(key::Column::Kind).eq(key.kind).and(column(key::Column::Key).eq(key.key)))
    });
    if same.is_empty() {
        return Ok(Vec::new());
    }
    let select = Query::select()
        .distinct()
        .expr_as(column(key::Column::Kind), Alias::new("kind"))
        .expr_as(Expr::col((Entity, Column::RootId)), Alias::new("root_id"))
        .from(key::Entity)
        .inner_join(Entity, Expr::col((Entity, Column::Id)).equals((key::Entity, key::Column::ContactId)))
        .cond_where(same)
        .and_where(Expr::col((Entity, Column::RootId)).ne(id))
        .limit(MAX_IN_COMMON)
        .to_owned();
    let mut common: HashMap<Uuid, BTreeSet<KeyKind>> = HashMap::new();
    for found in reader.all::<SharedKeyRow>(&select).await? {
        common.entry(found.root_id).or_default().insert(found.kind);
    }
    if common.is_empty() {
        return Ok(Vec::new());
    }
    let found = reader.models(Entity::find().filter(Column::Id.is_in(common.keys().copied()))).await?;
    // Two that the same system tells apart are not the same.
    let told_apart = |other: &Model| {
        other
            .external_ids
            .0
            .iter()
            .any(|(source, id)| ids.iter().any(|(known, mine)| known == source && mine != id))
    };
    let mut candidates: Vec<CandidateView> = found
        .iter()
        .filter(|other| !told_apart(other))
        .map(|other| candidate(other, &common[&other.id]))
        .collect();
    candidates.sort_by(|a, b| b.certainty.total_cmp(&a.certainty).then(a.contact_id.cmp(&b.contact_id)));
    candidates.truncate(MAX_CANDIDATES);
    Ok(candidates)
}

fn column(column: key::Column) -> Expr {
    Expr::col((key::Entity, column))
}

fn candidate(contact: &Model, common: &BTreeSet<KeyKind>) -> CandidateView {
    let implied: BTreeSet<KeyKind> = common.iter().flat_map(|kind| kind.implies()).copied().collect();
    let said: Vec<(Reason, f64)> = common.difference(&implied).filter_map(|kind| kind.evidence()).collect();
    let doubt = said.iter().fold(1.0, |doubt, (_, certainty)| doubt * (1.0 - certainty));
    CandidateView {
        contact_id: contact.id,
        name: contact.name.clone(),
        registered: contact.registered,
        certainty: ((1.0 - doubt) * 100.0_f64).round() / 100.0,
        reasons: said.into_iter().map(|(reason, _)| reason).collect(),
    }
}
