//! Reports.

use caseload::kernel::context::Context;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use uuid::Uuid;

use crate::support::*;

const ORPHANED: &str = "/v1/reports/orphaned-work";

/// Takes a person out of service behind the API's back.
async fn vanish(shop: &Shop, person: &Person) {
    let id: Uuid = person.id.parse().expect("an id");
    let context = Context::system(shop.clock.now(), shop.db.company_zone(), "test");
    let update = Query::update().table(Alias::new("users")).value(Alias::new("active"), false).and_where(Expr::col("id").eq(id)).to_owned();
    shop.db.write(context, async move |tx| tx.execute(&update).await).await.expect("a change that the API refuses");
}

#[actix_web::test]
async fn s0_16_work_without_a_live_owner_would_be_reported() {
    let shop = Shop::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let (hers, both) = (shop.group("Shipping", &[&ana]).await, shop.group("Finance", &[&ana, &ben]).await);
    for (title, due, assignee) in [
        ("hers", "2026-03-19T00:00:00Z", user(&ana)),
        ("her group's", "2026-03-18T00:00:00Z", group(&hers)),
        ("both groups'", START, group(&both)),
        ("his", START, user(&ben)),
        ("everyone's", START, public()),
    ] {
        shop.item(&shop.admin, title, due, assignee).await;
    }
    let done = shop.item(&shop.admin, "done", START, user(&ana)).await;
    let admin = shop.by(&shop.admin);
    admin.command(&format!("/v1/action-items/{}/complete", text(&done["id"]))).await.expect(200);
    let empty = admin.get(&format!("{ORPHANED}?counts=true")).await.expect(200);
    assert_eq!((&empty["data"], &empty["counts"]["total"]), (&json!([]), &json!(0)));
    vanish(&shop, &ana).await;
    assert_eq!(each(&admin.rows(&format!("{ORPHANED}?limit=1")).await, "title"), ["her group's", "hers"]);
    vanish(&shop, &ben).await;
    let all = admin.get(&format!("{ORPHANED}?counts=true&sort=-due_at")).await.expect(200);
    assert_eq!(all["counts"], json!({ "filtered": 4, "total": 4, "exact": true }));
    assert_eq!(text(&all["data"][0]["assignee"]["name"]), "Ana Ruiz");
    assert_eq!(admin.get(&format!("{ORPHANED}?assignee=me")).await.broken(400), rules(&[("assignee", "unknown")]));
    let sheet = admin.get(&format!("{ORPHANED}?format=csv&fields=title&limit=2")).await;
    assert_eq!((sheet.status, sheet.text.as_str()), (200, "title\r\nher group's\r\nboth groups'\r\n"));
}
