//! Lists of issues: pages, their defaults, and what they add to an issue.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_orm::{
    EntityTrait, QueryTrait,
    sea_query::{Cond, ExprTrait, Query, SelectStatement},
};
use serde_json::{Map, Value};

use super::super::{
    issue::{self, Entity, IssueOrigin, IssueStatus, Model, Row},
    json::{IssueDefaults, IssueFilter, IssueView},
};
use super::{
    filter::{is_manual, is_open, narrow},
    find::views,
};
use crate::{
    catalog::picklists::{self, ISSUE_TYPES},
    customers::contacts,
    kernel::{
        context::Context,
        error::{Result, ResultExt},
        filter::AnyOf,
        list::{self, Page, PageRequest},
        reader::Reader,
    },
    work::ownership,
};

/// A page of issues.
pub async fn page(
    reader: Reader<'_>,
    context: &Context,
    filter: &IssueFilter,
    base: SelectStatement,
    request: &PageRequest,
) -> Result<Page<IssueView>> {
    let contacts = contacts::cluster_filter(reader, filter.contact_id).await?;
    let narrow =
        |select: &mut SelectStatement| narrow(select, context, filter, contacts.as_ref(), reader.backend());
    let Page { data, next_cursor, counts } = list::page::<Row>(reader, request, base, narrow).await?;
    let mut data = views(reader, data).await?;
    if request.expand.iter().any(|wanted| wanted == "labels") {
        label(reader, context, &mut data).await?;
    }
    Ok(Page { data, next_cursor, counts })
}

/// The issues that a filter finds.
pub async fn filtered_query(
    reader: Reader<'_>,
    context: &Context,
    filter: &IssueFilter,
) -> Result<SelectStatement> {
    let contacts = contacts::cluster_filter(reader, filter.contact_id).await?;
    let mut select = Query::select().from(Entity).to_owned();
    narrow(&mut select, context, filter, contacts.as_ref(), reader.backend());
    Ok(select)
}

/// What a list leaves out unless asked: the defaults, and how many they hide when the caller counts.
pub async fn applied_defaults(
    reader: Reader<'_>,
    context: &Context,
    filter: &IssueFilter,
    request: &PageRequest,
) -> Result<Map<String, Value>> {
    let mut more = Map::new();
    let (open, manual) = (filter.open_by_default(), filter.manual_by_default());
    if open || manual {
        let mut applied = IssueDefaults {
            status: open.then_some(IssueStatus::Open),
            origin: manual.then_some(IssueOrigin::Manual),
            hidden: None,
        };
        if request.counts {
            let everything = IssueFilter {
                status: filter
                    .status
                    .clone()
                    .or_else(|| open.then(|| AnyOf(vec![IssueStatus::Open, IssueStatus::Closed]))),
                origin: filter
                    .origin
                    .clone()
                    .or_else(|| manual.then(|| AnyOf(vec![IssueOrigin::Manual, IssueOrigin::Automatic]))),
                ..filter.clone()
            };
            let mut hidden = Entity::find().into_query();
            narrow(
                &mut hidden,
                context,
                &everything,
                contacts::cluster_filter(reader, filter.contact_id).await?.as_ref(),
                reader.backend(),
            );
            let shown =
                [(open, is_open()), (manual, is_manual())].into_iter().filter(|(applies, _)| *applies);
            hidden.cond_where(shown.fold(Cond::any(), |any, (_, shown)| any.add(shown.not())));
            applied.hidden = Some(reader.count(hidden, list::COUNT_LIMIT).await?);
        }
        more.insert("applied_defaults".into(), serde_json::to_value(applied).internal()?);
    }
    Ok(more)
}

/// Adds the words and colours of picklist values, all of a page in one query (S2-26).
async fn label(reader: Reader<'_>, context: &Context, issues: &mut [IssueView]) -> Result<()> {
    let words = |issue: &IssueView| -> Vec<(String, String, String)> {
        let types = issue
            .types
            .iter()
            .enumerate()
            .map(|(index, word)| (format!("types.{index}"), ISSUE_TYPES.to_owned(), word.clone()));
        let subject = issue.subject.as_ref().map(|subject| {
            (
                "subject.type".to_owned(),
                subject.picklist_ref().0.to_owned(),
                subject.picklist_ref().1.to_owned(),
            )
        });
        types.chain(subject).collect()
    };
    let all: BTreeSet<(String, String)> =
        issues.iter().flat_map(words).map(|(_, list, key)| (list, key)).collect();
    let all: Vec<(&str, &str)> = all.iter().map(|(list, key)| (list.as_str(), key.as_str())).collect();
    let found: HashMap<(String, String), _> = picklists::labels(reader, &all, &context.languages).await?;
    for issue in issues {
        let labels = words(issue)
            .into_iter()
            .filter_map(|(member, list, key)| Some((member, found.get(&(list, key))?.clone())));
        issue.labels = Some(labels.collect::<BTreeMap<_, _>>());
    }
    Ok(())
}

/// Open issues that nobody could deal with: there must never be any (S0-16).
#[must_use]
pub fn orphaned() -> SelectStatement {
    let mut select = issue::select();
    ownership::only_orphaned::<Model>(&mut select);
    select
}
