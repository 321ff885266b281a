//! The door to interactions and actions.

use actix_web::{get, patch, post, put, web::Data};
use uuid::Uuid;

use super::{
    interaction,
    json::{
        ActionDetails, ActionFilter, ActionPage, ActionView, CreatedInteractionView, InteractionFilter,
        InteractionPage, InteractionPatch, InteractionView, NewInteraction,
    },
    service,
};
use crate::kernel::http::{Context, Db, JsonBody, List, ListReply, Path, Reply, Result, Routes};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes
        .service(list_interactions)
        .service(record_interaction)
        .service(read_interaction)
        .service(update_interaction)
        .service(link_interaction)
        .service(list_actions)
        .service(read_action);
}

/// List interactions
///
/// By whatever was said about them and what follows from them (S1-11). Sorts: `occurred_at` (default
/// `-occurred_at`), `recorded_at`. Expands: `labels`, `follow_up`.
#[utoipa::path(tag = "interactions", security(("bearer" = ["interactions:read"])), params(InteractionPage, InteractionFilter), responses((status = 200, description = "A page of interactions.", body = InteractionPage)))]
#[get("/interactions")]
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
/// All of it or nothing. What a person records without issues is complete or has a follow-up (S1-10). What is
/// made beside it takes its own scope: `contacts:write` for somebody new, `issues:write` for new issues,
/// `action_items:write` for the follow-up.
#[utoipa::path(tag = "interactions", security(("bearer" = ["interactions:write"])), request_body = NewInteraction, responses((status = 201, description = "The interaction, its actions and follow-up, and how the contact was found.", body = CreatedInteractionView)))]
#[post("/interactions")]
async fn record_interaction(db: Data<Db>, body: JsonBody<NewInteraction>) -> Result<Reply> {
    body.write(&db, async move |tx, new| Reply::created(&service::record(tx, new).await?)).await
}

/// Read an interaction
///
/// Everyone on staff may read every interaction.
#[utoipa::path(tag = "interactions", security(("bearer" = ["interactions:read"])), responses((status = 200, description = "The interaction.", body = InteractionView)))]
#[get("/interactions/{id}")]
async fn read_interaction(db: Data<Db>, Path(id): Path<Uuid>, _: Context) -> Result<Reply> {
    Reply::ok(&service::find(db.read(), id).await?)
}

/// Correct an interaction
///
/// A merge patch (RFC 7396), by whoever recorded it or a manager. The history keeps what it said before.
#[utoipa::path(tag = "interactions", security(("bearer" = ["interactions:write"])), request_body = InteractionPatch, responses((status = 200, description = "The interaction as it is now.", body = InteractionView)))]
#[patch("/interactions/{id}")]
async fn update_interaction(
    db: Data<Db>,
    Path(id): Path<Uuid>,
    body: JsonBody<InteractionPatch>,
) -> Result<Reply> {
    body.write(&db, async move |tx, patch| Reply::ok(&service::update(tx, id, patch).await?)).await
}

/// Say what an interaction did about an issue
///
/// Where the two meet is an action with details of its own (S4-10); said again it says it anew. `If-Match` is
/// about the action. 409 `merged` when the issue was merged into another.
#[utoipa::path(tag = "interactions", security(("bearer" = ["interactions:write"])), request_body = Option<ActionDetails>, responses((status = 200, description = "The action as it is now.", body = ActionView), (status = 201, description = "The new action.", body = ActionView), (status = 409, description = "The issue was merged into another.")))]
#[put("/issues/{id}/interactions/{interaction_id}")]
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
#[utoipa::path(tag = "interactions", security(("bearer" = ["interactions:read"])), params(ActionPage, ActionFilter), responses((status = 200, description = "A page of actions.", body = ActionPage)))]
#[get("/actions")]
async fn list_actions(db: Data<Db>, list: List<ActionFilter>) -> Result<ListReply> {
    let page = service::actions(db.read(), &list.context, &list.filter, &list.page).await?;
    ListReply::of(&list, &page)
}

/// Read an action
///
/// What one interaction did about one issue.
#[utoipa::path(tag = "interactions", security(("bearer" = ["interactions:read"])), responses((status = 200, description = "The action.", body = ActionView)))]
#[get("/actions/{id}")]
async fn read_action(db: Data<Db>, Path(id): Path<Uuid>, _: Context) -> Result<Reply> {
    Reply::ok(&service::find_action(db.read(), id).await?)
}
