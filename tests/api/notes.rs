//! Notes, and the action items that follow from them.

use crate::support::*;

#[actix_web::test]
async fn s0_4_a_note_and_its_action_items_are_entered_together() {
    let shop = Shop::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let ben = shop.hire_in("Ben Okafor", "agent", "America/Montreal").await;
    let shipping = shop.group("Shipping", &[&ben]).await;
    let thread = "> Could you ship it by express?\r\n\r\nYes — for $12. 🚚 «d’accord»";
    let new = json!({
        "subject": { "type": "order", "id": "A-1001" },
        "title": "Customer called and requested rush shipping",
        "body": thread,
        "action_items": [
            { "title": "Call customer to get correct credit card expiration date", "due_in": "tomorrow", "assignee": user(&ben) },
            { "title": "Follow up on shipping in 3 weeks", "due_in": "in_3_weeks", "assignee": group(&shipping) },
            { "title": "File the thread", "due_on": "2026-03-20" },
        ],
    });
    let reply = shop.by(&ana).post("/v1/notes", new).await;
    let location = reply.header("location").to_owned();
    assert_eq!(reply.header("etag"), "\"1\"");
    let note = reply.expect(201);
    assert_eq!(location, format!("/v1/notes/{}", text(&note["id"])));
    assert_eq!(note["body"], thread, "S0-2, S0-19: an e-mail is kept as it was pasted");
    assert_eq!(note["author"], json!({ "id": ana.id, "name": "Ana Ruiz" }));
    let items = note["action_items"].as_array().expect("items");
    assert!(items.iter().all(|item| item["note_id"] == note["id"] && item["subject"] == note["subject"]));
    // S0-5: tomorrow ends in Montreal, three weeks end in the company's zone.
    assert_eq!(items[0]["due_at"], "2026-03-20T03:59:59.999999Z");
    assert_eq!(items[0]["due_on"], "2026-03-19");
    assert_eq!(items[1]["due_at"], "2026-04-08T23:59:59.999999Z");
    assert_eq!(items[1]["assignee"], json!({ "type": "group", "id": shipping, "name": "Shipping" }));
    // S0-7: nobody named means the author.
    assert_eq!(items[2]["assignee"], json!({ "type": "user", "id": ana.id, "name": "Ana Ruiz" }));
    let mut read = shop.by(&ben).get(&location).await.expect(200);
    let mut written = note.clone();
    written.as_object_mut().expect("a note").remove("action_items");
    assert_eq!(read.take(), written);
}
