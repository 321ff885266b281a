//! What offboarding says when people change: nobody leaves open work without an owner.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    access::{
        groups::{self, group::Membership},
        users::{Parting, user},
    },
    kernel::{
        error::{Code, Error, Result, ResultExt},
        events::Change,
        reader::Reader,
        record::Record,
        tx::Tx,
    },
    work::{
        action_items::action_item::Model as ActionItem,
        interactions::interaction::Model as Interaction,
        issues::issue::Model as Issue,
        ownership::{Owned, group_is_unstaffed, open_of},
        work_items::work_item::Model as WorkItem,
    },
};

/// Who leaves: a member who is about to be none, or was one until now.
#[derive(Clone, Copy)]
struct Leaver {
    id: Uuid,
    is_member: bool,
}

/// How much of each kind is open: its name in the answer, and how it is counted.
struct Open(Vec<(&'static str, &'static str, u64)>);

impl Open {
    /// What a person has.
    async fn of(reader: Reader<'_>, user: Uuid) -> Result<Self> {
        Ok(Self(vec![
            named::<ActionItem>(open_of::<ActionItem>(reader, user).await?),
            named::<Issue>(open_of::<Issue>(reader, user).await?),
            named::<WorkItem>(open_of::<WorkItem>(reader, user).await?),
            named::<Interaction>(open_of::<Interaction>(reader, user).await?),
        ]))
    }

    /// What a group has although nobody active is left in it.
    async fn left_behind_by(reader: Reader<'_>, group: Uuid, leaver: Leaver) -> Result<Self> {
        let but = if leaver.is_member { Some(leaver.id) } else { None };
        Ok(Self(vec![
            named::<ActionItem>(group_is_unstaffed::<ActionItem>(reader, group, but).await?),
            named::<Issue>(group_is_unstaffed::<Issue>(reader, group, but).await?),
            named::<WorkItem>(group_is_unstaffed::<WorkItem>(reader, group, but).await?),
            named::<Interaction>(group_is_unstaffed::<Interaction>(reader, group, but).await?),
        ]))
    }

    fn sum(&self) -> u64 {
        self.0.iter().map(|(.., open)| open).sum()
    }

    /// By kind, those there are none of left out.
    fn by_kind(&self) -> Map<String, Value> {
        self.0
            .iter()
            .filter(|(.., open)| *open > 0)
            .map(|(kind, _, open)| ((*kind).into(), (*open).into()))
            .collect()
    }

    /// In words.
    fn summary(&self) -> String {
        let words: Vec<String> = self
            .0
            .iter()
            .filter(|(.., open)| *open > 0)
            .map(|(_, what, open)| format!("{open} open {what}s"))
            .collect();
        match words.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
            None => "nothing".into(),
        }
    }
}

fn named<M: Owned>(open: u64) -> (&'static str, &'static str, u64) {
    (<M as Record>::KIND, M::WHAT, open)
}

/// Refuses to take a person out of service while they hold open work, or are the last who could do a group's.
pub async fn refuse_open_work(tx: &mut Tx, change: Change<'_, user::Model>) -> Result<()> {
    let user = change.latest().id;
    let mut refusals = Vec::new();
    // Locked, so that nobody gives a group work, or leaves it, trusting in who leaves here.
    let groups = groups::lock_groups_of(tx, user).await?;
    let open = Open::of(tx.read(), user).await?;
    if open.sum() > 0 {
        let detail = format!("They hold {}; offboard them instead.", open.summary());
        refusals.push(Error::new(Code::OpenWork, detail).with("open_work", open.by_kind()));
    }
    for group in groups {
        refuse_unstaffed(tx, group.id, &group.name, Leaver { id: user, is_member: true })
            .await
            .unwrap_or_else(|refusal| refusals.push(refusal));
    }
    // Whoever is told what holds them back is told as well which keys will go with them.
    let keys = serde_json::to_value(&tx.cache::<Parting>().keys).internal()?;
    let said = |refusal: Error| {
        if keys.as_array().is_some_and(Vec::is_empty) { refusal } else { refusal.with("api_keys", keys) }
    };
    Error::all(refusals).map_or(Ok(()), |refusal| Err(said(refusal)))
}

/// Refuses to take the last member from a group with open work.
pub async fn refuse_empty_group(tx: &mut Tx, change: Change<'_, Membership>) -> Result<()> {
    let Membership { group, member } = change.latest();
    let Some(member) = member else { return Ok(()) };
    refuse_unstaffed(tx, group.id, &group.name, Leaver { id: member.id, is_member: false }).await
}

/// Refuses to leave a group without an active member while it has open work.
async fn refuse_unstaffed(tx: &Tx, group: Uuid, name: &str, leaver: Leaver) -> Result<()> {
    let open = Open::left_behind_by(tx.read(), group, leaver).await?;
    if open.sum() == 0 {
        return Ok(());
    }
    let detail = format!("They are the last active member of {name}, which has {}.", open.summary());
    Err(Error::new(Code::OpenWork, detail).with("groups", json!({ group.to_string(): open.sum() })))
}
