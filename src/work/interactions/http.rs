//! The HTTP operations of interactions and actions.

use actix_web::web::Data;
use uuid::Uuid;

use super::{
    interaction::{self, Model},
    json::{
        ActionDetails, ActionFilter, ActionPage, ActionView, Answer, CreatedInteractionView, Dismissal,
        InteractionFilter, InteractionPage, InteractionPatch, InteractionView, NewInteraction,
    },
    service,
};
use crate::{
    kernel::http::{Context, Db, JsonBody, List, ListReply, NoBody, Path, Reply, Result, Routes, operation},
    work::{
        action_items::Reopening,
        ownership::{claim, release},
    },
};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes
        .service(list_interactions)
        .service(record_interaction)
        .service(read_interaction)
        .service(update_interaction)
        .service(claim_interaction)
        .service(release_interaction)
        .service(answer_interaction)
        .service(dismiss_interaction)
        .service(reopen_interaction)
        .service(link_interaction)
        .service(list_actions)
        .service(read_action);
}

/// List interactions
///
/// By whatever was said about them and what follows from them (S1-11). Sorts: `occurred_at` (default
/// `-occurred_at`), `recorded_at`. Expands: `labels`, `follow_up`.
#[operation(get "/interactions", scope = InteractionsRead, 200 = InteractionPage "A page of interactions.")]
async fn list_interactions(db: Data<Db>, list: List<InteractionFilter>) -> Result<ListReply> {
    let page = service::page(
        db.read(),
        &list.context,
        &list.filter,
        interaction::select(list.page.texts()),
        &list.page,
    )
    .await?;
    ListReply::of(&list, &page)
}

/// Record an interaction
///
/// With whom it was, found or made anew (S4-11 to S4-13); the issues it dealt with, new ones and old ones
/// (S4-1 to S4-4); and what follows from it, as an action item in somebody's queue on the day (S1-8, S1-9).
/// All of it or nothing. What a person records without issues is complete or has a follow-up (S1-10).
///
/// An e-mail, an SMS or a call that nobody took is `unanswered`, and somebody's to answer: it lies in their
/// inbox until it is. A later outbound interaction in the same issue or work item answers it, as does one
/// that names it in `answers`; or one says that it is answered, or needs no answer.
///
/// What is made beside it takes its own scope: `contacts:write` for somebody new, `issues:write` for new
/// issues, `action_items:write` for the follow-up, `work_items:write` to add it to a work item.
#[operation(
    post "/interactions",
    scope = InteractionsWrite,
    201 = CreatedInteractionView "The interaction, its actions and follow-up, and how the contact was found.",
)]
async fn record_interaction(db: Data<Db>, body: JsonBody<NewInteraction>) -> Result<Reply> {
    body.write(&db, async move |tx, new| Reply::created(&service::record(tx, new).await?)).await
}

/// Read an interaction
///
/// Everyone on staff may read every interaction.
#[operation(get "/interactions/{id}", scope = InteractionsRead, 200 = InteractionView "The interaction.")]
async fn read_interaction(db: Data<Db>, Path(id): Path<Uuid>, _: Context) -> Result<Reply> {
    Reply::ok(&service::find(db.read(), id).await?)
}

/// Correct an interaction
///
/// A merge patch (RFC 7396), by whoever recorded it or a manager. The history keeps what it said before.
/// `assignee` gives what waits for an answer to somebody else; agents give away what is theirs, their groups'
/// or public, managers all.
#[operation(
    patch "/interactions/{id}",
    scope = InteractionsWrite,
    200 = InteractionView "The interaction as it is now.",
    409 = "`assignee` was given where nobody waits for an answer.",
)]
async fn update_interaction(
    db: Data<Db>,
    Path(id): Path<Uuid>,
    body: JsonBody<InteractionPatch>,
) -> Result<Reply> {
    body.write(&db, async move |tx, patch| Reply::ok(&service::update(tx, id, patch).await?)).await
}

/// Claim what a contact sent
///
/// From one's group or from the public. Of two who claim at once one gets it, the other 409 `already_claimed`
/// with the `holder`. Claiming what one has changes nothing. 409 `wrong_status` when nobody waits for an
/// answer.
#[operation(
    post "/interactions/{id}/claim",
    scope = InteractionsWrite,
    200 = InteractionView "The interaction, now one's own to answer.",
)]
async fn claim_interaction(db: Data<Db>, Path(id): Path<Uuid>, body: NoBody) -> Result<Reply> {
    body.write(&db, async move |tx| {
        let interaction: Model = claim(tx, id).await?;
        Reply::ok(&service::find(tx.read(), interaction.id).await?)
    })
    .await
}

/// Release what a contact sent
///
/// Back to where it was claimed from; 409 `nothing_to_release` when it was not claimed.
#[operation(
    post "/interactions/{id}/release",
    scope = InteractionsWrite,
    200 = InteractionView "The interaction, back where it was.",
)]
async fn release_interaction(db: Data<Db>, Path(id): Path<Uuid>, body: NoBody) -> Result<Reply> {
    body.write(&db, async move |tx| {
        let interaction: Model = release(tx, id).await?;
        Reply::ok(&service::find(tx.read(), interaction.id).await?)
    })
    .await
}

/// Say that what a contact sent is answered
///
/// By an interaction that is recorded, `answer_id`, or elsewhere; by whoever has it, their group, or a
/// manager. It leaves the inboxes. 409 `wrong_status` when it waits for no answer.
#[operation(
    post "/interactions/{id}/answer",
    scope = InteractionsWrite,
    optional_body,
    200 = InteractionView "The answered interaction.",
)]
async fn answer_interaction(db: Data<Db>, Path(id): Path<Uuid>, body: JsonBody<Answer>) -> Result<Reply> {
    body.write(&db, async move |tx, answer| Reply::ok(&service::answer(tx, id, answer).await?)).await
}

/// Say that what a contact sent needs no answer
///
/// By whoever has it, their group, or a manager. It leaves the inboxes. 409 `wrong_status` when it waits for
/// no answer.
#[operation(
    post "/interactions/{id}/dismiss",
    scope = InteractionsWrite,
    optional_body,
    200 = InteractionView "The dismissed interaction.",
)]
async fn dismiss_interaction(db: Data<Db>, Path(id): Path<Uuid>, body: JsonBody<Dismissal>) -> Result<Reply> {
    body.write(&db, async move |tx, dismissal| Reply::ok(&service::dismiss(tx, id, dismissal).await?)).await
}

/// Say that what a contact sent waits for an answer after all
///
/// Whoever had it has it again, or whom it would come to anew when they are gone; `assignee` names somebody
/// else. 409 `wrong_status` when it was neither answered nor dismissed.
#[operation(
    post "/interactions/{id}/reopen",
    scope = InteractionsWrite,
    optional_body,
    200 = InteractionView "The interaction, unanswered.",
)]
async fn reopen_interaction(db: Data<Db>, Path(id): Path<Uuid>, body: JsonBody<Reopening>) -> Result<Reply> {
    body.write(&db, async move |tx, reopening| Reply::ok(&service::reopen(tx, id, reopening).await?)).await
}

/// Say what an interaction did about an issue
///
/// Where the two meet is an action with details of its own (S4-10); said again it says it anew. `If-Match` is
/// about the action. 409 `merged` when the issue was merged into another.
#[operation(
    put "/issues/{id}/interactions/{interaction_id}",
    scope = InteractionsWrite,
    tag = "interactions",
    optional_body,
    200 = ActionView "The action as it is now.",
    201 = ActionView "The new action.",
    409 = "The issue was merged into another.",
)]
async fn link_interaction(
    db: Data<Db>,
    Path((id, interaction_id)): Path<(Uuid, Uuid)>,
    body: JsonBody<ActionDetails>,
) -> Result<Reply> {
    body.write(&db, async move |tx, details| {
        let (action, is_new) = service::link(tx, id, interaction_id, details).await?;
        if is_new { Reply::created(&action) } else { Reply::ok(&action) }
    })
    .await
}

/// List actions
///
/// What interactions did about issues. Sorts: `created_at` (default `-created_at`).
#[operation(
    get "/actions",
    scope = InteractionsRead,
    tag = "interactions",
    200 = ActionPage "A page of actions.",
)]
async fn list_actions(db: Data<Db>, list: List<ActionFilter>) -> Result<ListReply> {
    let page = service::actions(db.read(), &list.context, &list.filter, &list.page).await?;
    ListReply::of(&list, &page)
}

/// Read an action
///
/// What one interaction did about one issue.
#[operation(
    get "/actions/{id}",
    scope = InteractionsRead,
    tag = "interactions",
    200 = ActionView "The action.",
)]
async fn read_action(db: Data<Db>, Path(id): Path<Uuid>, _: Context) -> Result<Reply> {
    Reply::ok(&service::find_action(db.read(), id).await?)
}
