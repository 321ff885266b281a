//! How everything is searched.

use std::collections::HashMap;

use futures_util::{FutureExt, future::LocalBoxFuture};
use sea_orm::{EntityTrait, FromQueryResult};
use uuid::Uuid;

use super::json::{DEFAULT_LIMIT, SearchFilter, SearchKind, SearchResult, SearchView};
use crate::{
    customers::{contacts::contact, subjects::Subject},
    kernel::{
        actor::{Actor, Scope},
        error::{Error, Result},
        filter::{AnyOf, Number},
        list::{self, Listed},
        reader::Reader,
        record::Record,
        search::{self, Hit, RANKED, Terms},
    },
    work::{
        action_items::action_item, interactions::interaction, issues::issue, notes::note,
        work_items::work_item,
    },
};

/// What a kind of thing needs to be found.
struct ResultRow {
    kind: SearchKind,
    /// Who may read it may find it.
    scope: Scope,
    path: &'static str,
    /// The columns of its long texts.
    texts: &'static [&'static str],
    show: Show,
}

type Show = for<'a> fn(
    Reader<'a>,
    &'a ResultRow,
    &'a Terms,
    Vec<&'a Hit>,
) -> LocalBoxFuture<'a, Result<Vec<SearchResult>>>;

/// Every kind that can be found.
const KINDS: &[ResultRow] = &[
    ResultRow {
        kind: SearchKind::Contact,
        scope: Scope::ContactsRead,
        path: "/v1/contacts",
        texts: &[],
        show: show::<contact::Model>,
    },
    ResultRow {
        kind: SearchKind::Note,
        scope: Scope::NotesRead,
        path: "/v1/notes",
        texts: note::Row::TEXTS,
        show: show::<note::Model>,
    },
    ResultRow {
        kind: SearchKind::ActionItem,
        scope: Scope::ActionItemsRead,
        path: "/v1/action-items",
        texts: action_item::Row::TEXTS,
        show: show::<action_item::Model>,
    },
    ResultRow {
        kind: SearchKind::Issue,
        scope: Scope::IssuesRead,
        path: "/v1/issues",
        texts: &[],
        show: show::<issue::Model>,
    },
    ResultRow {
        kind: SearchKind::WorkItem,
        scope: Scope::WorkItemsRead,
        path: "/v1/work-items",
        texts: work_item::Row::TEXTS,
        show: show::<work_item::Model>,
    },
    ResultRow {
        kind: SearchKind::Interaction,
        scope: Scope::InteractionsRead,
        path: "/v1/interactions",
        texts: interaction::Row::TEXTS,
        show: show::<interaction::Model>,
    },
];

/// What fits the words best, of the kinds that the caller may read.
pub async fn search(reader: Reader<'_>, actor: &Actor, filter: &SearchFilter) -> Result<SearchView> {
    let _turn = list::read_permit().await?;
    let terms = filter
        .q
        .as_ref()
        .ok_or_else(|| Error::parameter("q", "required", "q is required: a word to find."))?;
    let asked = |kind: SearchKind| filter.kind.as_ref().is_none_or(|AnyOf(kinds)| kinds.contains(&kind));
    let kinds: Vec<&ResultRow> =
        KINDS.iter().filter(|found| asked(found.kind) && actor.scopes.contains(&found.scope)).collect();
    // Where everything may be found, nothing is said of kinds: it would only cost.
    let only: &[&ResultRow] = if kinds.len() == KINDS.len() { &[] } else { kinds.as_slice() };
    let names: Vec<&str> = only.iter().map(|found| found.kind.as_str()).collect();
    let hits = if kinds.is_empty() { Vec::new() } else { search::best(reader, terms, &names).await? };
    let Number(limit) = filter.limit.unwrap_or(Number(DEFAULT_LIMIT));
    let best = &hits[..hits.len().min(usize::try_from(limit).unwrap_or(usize::MAX))];
    let mut shown: HashMap<Uuid, SearchResult> = HashMap::new();
    for found in kinds {
        let theirs: Vec<&Hit> = best.iter().filter(|hit| hit.kind == found.kind.as_str()).collect();
        if !theirs.is_empty() {
            shown.extend(
                (found.show)(reader, found, terms, theirs)
                    .await?
                    .into_iter()
                    .map(|result| (result.id, result)),
            );
        }
    }
    let data = best.iter().filter_map(|hit| shown.remove(&hit.id)).collect();
    Ok(SearchView { data, found: hits.len(), complete: hits.len() < RANKED })
}

/// The results of one kind, their rows read in one query.
fn show<'a, M: Record + FromQueryResult>(
    reader: Reader<'a>,
    found: &'a ResultRow,
    terms: &'a Terms,
    hits: Vec<&'a Hit>,
) -> LocalBoxFuture<'a, Result<Vec<SearchResult>>>
where
    M::Entity: EntityTrait<Model = M>,
{
    async move {
        let scores: HashMap<Uuid, f64> = hits.iter().map(|hit| (hit.id, hit.score)).collect();
        let result = |row: M| {
            let (says, belongs, id) = (row.searchable()?, row.placement(), row.id());
            Some(SearchResult {
                kind: found.kind,
                id,
                highlights: search::highlights(terms, &says.title, &says.text),
                title: belongs.title,
                score: *scores.get(&id)?,
                at: says.at,
                subject: belongs.subject.map(|(kind, id)| Subject { r#type: kind.into(), id: id.into() }),
                contact_id: belongs.contact,
                url: format!("{}/{id}", found.path),
            })
        };
        let results = search::each(reader, scores.keys().copied().collect(), found.texts, result).await?;
        Ok(results.into_iter().flatten().collect())
    }
    .boxed_local()
}
