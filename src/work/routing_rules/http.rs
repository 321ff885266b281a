//! The HTTP operations of routing rules.

use actix_web::web::Data;
use uuid::Uuid;

use super::{
    json::{
        NewRoutingRule, RoutingOrder, RoutingRuleFilter, RoutingRulePage, RoutingRulePatch, RoutingRuleView,
        RoutingRulesView, Simulation, SimulationView,
    },
    service,
};
use crate::kernel::http::{Context, Db, JsonBody, List, ListReply, Path, Reply, Result, Routes, operation};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes
        .service(list_routing_rules)
        .service(create_routing_rule)
        .service(order_routing_rules)
        .service(simulate_routing)
        .service(read_routing_rule)
        .service(update_routing_rule);
}

/// List the routing rules
///
/// Those that are switched on and those that are not, each with who it names is there. Sorts: `position`
/// (default).
#[operation(get "/routing-rules", scope = RoutingRulesRead, 200 = RoutingRulePage "A page of routing rules.")]
async fn list_routing_rules(db: Data<Db>, mut list: List<RoutingRuleFilter>) -> Result<ListReply> {
    let filter = std::mem::take(&mut list.filter);
    let page = service::page(db.read(), &filter, &list.page).await?;
    ListReply::of(&list, &page)
}

/// Create a routing rule
///
/// It comes last (S3-4). A rule names people and groups who are there: active users, groups with an active
/// member. When they leave later they are passed over, and with nobody left the rule is. There are at most
/// 200 rules.
#[operation(post "/routing-rules", scope = RoutingRulesWrite, 201 = RoutingRuleView "The new routing rule.")]
async fn create_routing_rule(db: Data<Db>, body: JsonBody<NewRoutingRule>) -> Result<Reply> {
    body.write(&db, async move |tx, new| {
        let rule = service::create(tx, new).await?;
        Reply::created(&service::view(tx.read(), rule).await?)
    })
    .await
}

/// Put the routing rules in order
///
/// Names every active rule exactly once; others may be named too, and follow in their present order
/// otherwise.
#[operation(
    put "/routing-rules/order",
    scope = RoutingRulesWrite + RoutingRulesRead,
    200 = RoutingRulesView "The routing rules in their new order.",
)]
async fn order_routing_rules(db: Data<Db>, body: JsonBody<RoutingOrder>) -> Result<Reply> {
    body.write(&db, async move |tx, order| {
        let rules = service::reorder(tx, &order.ids).await?;
        Reply::json(200, &RoutingRulesView { data: service::views(tx.read(), rules).await? })
    })
    .await
}

/// Simulate routing
///
/// Who would get a work item, and why: step by step which condition holds, what was found, and who is there
/// (S3-4). It tries rules that are not saved, or not switched on, as well. Nothing is written, and nobody's
/// turn is over. What it finds is shown to whoever may read it: a `work_item_id` takes `work_items:read` and
/// `contacts:read`, and a `contact_id` `contacts:read`.
#[operation(
    post "/routing-rules/simulate",
    scope = RoutingRulesRead,
    200 = SimulationView "Who would get it, and why.",
)]
async fn simulate_routing(db: Data<Db>, body: JsonBody<Simulation>) -> Result<Reply> {
    let JsonBody { context, body, .. } = body;
    Reply::json(200, &service::simulate(&db, &context, body).await?)
}

/// Read a routing rule
///
/// Switched on or not.
#[operation(get "/routing-rules/{id}", scope = RoutingRulesRead, 200 = RoutingRuleView "The routing rule.")]
async fn read_routing_rule(db: Data<Db>, Path(id): Path<Uuid>, _: Context) -> Result<Reply> {
    let rule = service::find(db.read(), id).await?;
    Reply::ok(&service::view(db.read(), rule).await?)
}

/// Change a routing rule
///
/// A merge patch (RFC 7396) of its name, conditions, target, and whether it is switched on. It holds for work
/// that comes from then on; what was routed stays with whoever has it.
#[operation(
    patch "/routing-rules/{id}",
    scope = RoutingRulesWrite,
    200 = RoutingRuleView "The routing rule as it is now.",
)]
async fn update_routing_rule(
    db: Data<Db>,
    Path(id): Path<Uuid>,
    body: JsonBody<RoutingRulePatch>,
) -> Result<Reply> {
    body.write(&db, async move |tx, patch| {
        let rule = service::update(tx, id, patch).await?;
        Reply::ok(&service::view(tx.read(), rule).await?)
    })
    .await
}
