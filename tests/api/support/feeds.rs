//! Feeds of other sites: rows in JSON or CSV, by cursor, by date, by `Link`.

use std::sync::{Arc, Mutex};

use super::{
    Value, json,
    mock_server::{MockReply, MockServer},
    text,
};

/// Rows of a page.
pub const PAGE: usize = 40;

/// What a feed holds, and how it feels.
#[derive(Debug, Default)]
pub struct Rows {
    pub rows: Vec<Value>,
    /// So many requests are answered before everything fails.
    pub fails_after: Option<usize>,
}

/// A feed, and what it holds.
pub struct Feed {
    pub elsewhere: MockServer,
    pub held: Arc<Mutex<Rows>>,
}

/// A quiz of somebody, as a site tells of it.
pub fn quiz(number: usize) -> Value {
    json!({ "id": format!("q-{number}"),
        "contact": { "email": format!("person{number}@quai.example"), "name": format!("Person {number}") },
        "question": format!(
            "Quiz {number}"), "answers": { "type": "liver", "score": number }, "at": "2026-03-17T10:00:00Z" })
}

/// A feed with so many quizzes: `/quizzes.json` by cursor, `/changed.json` by date, `/quizzes.csv` by `Link`.
pub fn open(count: usize) -> Feed {
    let held = Arc::new(Mutex::new(Rows { rows: (1..=count).map(quiz).collect(), fails_after: None }));
    let own = held.clone();
    let elsewhere = MockServer::answering(move |asked| {
        let mut held = own.lock().expect("rows");
        if asked.headers.get("authorization").map(String::as_str) != Some("Bearer feed-token-0123456789") {
            return MockReply::text(401, "");
        }
        match &mut held.fails_after {
            Some(0) => return MockReply::text(500, "broken"),
            Some(left) => *left -= 1,
            None => {}
        }
        let ask = |name: &str| asked.query.get(name).cloned().unwrap_or_default();
        let start: usize = ask("after").parse().unwrap_or(0);
        let rows = &held.rows;
        let end = (start + PAGE).min(rows.len());
        match asked.path.as_str() {
            "/quizzes.json" => {
                let next = if end < rows.len() || end > start { json!(end.to_string()) } else { Value::Null };
                MockReply::json(200, &json!({ "data": rows[start.min(end)..end], "next_cursor": next }))
            }
            "/changed.json" => {
                let since = ask("updated_since");
                let changed: Vec<&Value> =
                    rows.iter().filter(|row| since.is_empty() || text(&row["at"]) >= since).collect();
                MockReply::json(200, &json!(changed))
            }
            "/quizzes.csv" => {
                let mut body = "id;e-mail;message;score\r\n".to_owned();
                for row in &rows[start.min(end)..end] {
                    let (id, email, question) =
                        (text(&row["id"]), text(&row["contact"]["email"]), text(&row["question"]));
                    body.extend([format!("{id};{email};\"{question}\";{}\r\n", row["answers"]["score"])]);
                }
                let page = MockReply::text(200, &body);
                if end < rows.len() {
                    page.with("link", format!("</quizzes.csv?after={end}>; rel=\"next\""))
                } else {
                    page
                }
            }
            _ => MockReply::text(404, ""),
        }
    });
    Feed { elsewhere, held }
}

/// A source of such a feed, by its cursor, as requests make it.
pub fn source(feed: &Feed) -> Value {
    json!({
        "name": "Quizzes", "url": format!("{}/quizzes.json", feed.elsewhere.base),
        "work_item_type": "body_type_quiz", "rows": "/data",
        "mapping": { "external_id": "/id", "email": "/contact/email", "name": "/contact/name",
            "description": "/question", "reference": "/answers" },
        "next": "/next_cursor", "cursor_parameter": "after",
        "credentials": { "token": "feed-token-0123456789" },
    })
}
