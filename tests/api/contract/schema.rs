//! The schema: every entity's columns are those of the migrated tables, on both databases.

use std::{collections::BTreeMap, fs, path::Path};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use crate::support::{TestApp, on_postgres};

/// Tables that no entity reads.
const BARE: &[&str] = &["cursor_key", "journal_texts"];

/// Columns that the database fills in itself, and only its own statements read.
const UNREAD: &[(&str, &str)] =
    &[("journal", "written"), ("search_index", "number"), ("search_index", "words")];

/// A column as the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub kind: String,
    pub nullable: bool,
}

/// The tables of a database with their columns. Those of FTS5 are its own affair: they have no rows, only
/// words.
pub async fn tables(database: &DatabaseConnection) -> BTreeMap<String, Vec<Column>> {
    let backend = database.get_database_backend();
    let sql = match backend {
        DbBackend::Sqlite => {
            "SELECT tables.name, columns.name, LOWER(columns.type), CASE WHEN columns.\"notnull\" THEN 'NO' \
             ELSE 'YES' END \
             FROM sqlite_master AS tables JOIN pragma_table_info(tables.name) AS columns \
             WHERE tables.type = 'table' AND tables.name NOT LIKE 'seaql%' AND tables.name NOT LIKE \
             'search_words%'"
        }
        _ => {
            "SELECT table_name::text, column_name::text, data_type::text, is_nullable::text FROM \
             information_schema.columns \
             WHERE table_schema = 'public' AND table_name NOT LIKE 'seaql%'"
        }
    };
    let mut tables: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    for row in database.query_all_raw(Statement::from_string(backend, sql)).await.expect("the schema") {
        let at = |index| row.try_get_by_index::<String>(index).expect("text");
        tables.entry(at(0)).or_default().push(Column { name: at(1), kind: at(2), nullable: at(3) == "YES" });
    }
    assert!(tables.len() > 10, "only {} tables were found", tables.len());
    tables
}

/// Every entity in the sources: its table, with the type of each member.
fn entities() -> BTreeMap<String, Vec<(String, String)>> {
    let mut found = BTreeMap::new();
    for text in sources() {
        for entity in text.split("DeriveEntityModel)]").skip(1) {
            let table = between(entity, "table_name = \"", "\"").expect("an entity names its table");
            let members = between(entity, "pub struct Model {\n", "\n}").expect("the members of an entity");
            let members = members
                .lines()
                .filter_map(|line| line.trim().strip_prefix("pub ")?.strip_suffix(',')?.split_once(": "));
            let members = members
                .map(|(name, kind)| (name.trim_start_matches("r#").to_owned(), kind.to_owned()))
                .collect();
            assert!(found.insert(table.to_owned(), members).is_none(), "two entities of the table {table}");
        }
    }
    found
}

fn sources() -> Vec<String> {
    fn read(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                read(&path, found);
            } else {
                found.push(fs::read_to_string(path).expect("a source"));
            }
        }
    }
    let mut found = Vec::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.split_once(start)?.1.split_once(end).map(|(inner, _)| inner)
}

/// How the database keeps a type of Rust: as SQLite and as PostgreSQL call it. Types of our own say so where
/// they are declared.
fn kept(kind: &str) -> Option<(&'static str, &'static str)> {
    match kind {
        "String" => Some(("text", "text")),
        "Uuid" => Some(("blob", "uuid")),
        "Timestamp" | "i64" => Some(("bigint", "bigint")),
        "i32" => Some(("integer", "integer")),
        "i16" => Some(("smallint", "smallint")),
        "bool" => Some(("boolean", "boolean")),
        "Json" => Some(("text", "json")),
        "Vec<u8>" => Some(("blob", "bytea")),
        own => sources().iter().find_map(|text| {
            let starts = ["pub struct {}(", "pub struct {} {", "pub enum {} {", "\n    {} {"]
                .map(|start| start.replace("{}", own));
            let (before, _) = starts.iter().find_map(|start| text.split_once(start.as_str()))?;
            let declared = &before[before.rfind("\n\n").unwrap_or(0)..];
            if declared.contains("choice! {") {
                kept("String")
            } else if declared.contains("FromJsonQueryResult") {
                kept("Json")
            } else {
                declared
                    .contains("DeriveActiveEnum")
                    .then(|| between(declared, "rs_type = \"", "\""))
                    .flatten()
                    .and_then(kept)
            }
        }),
    }
}

#[actix_web::test]
async fn every_entity_is_as_its_table() {
    let shop = TestApp::open().await;
    let mut tables = tables(&shop.connect().await).await;
    tables.retain(|table, _| !BARE.contains(&table.as_str()));
    let entities = entities();
    assert!(tables.keys().eq(entities.keys()), "tables {:?}\nentities {:?}", tables.keys(), entities.keys());
    for (table, members) in entities {
        let mut wanted: Vec<Column> = members
            .into_iter()
            .map(|(name, kind)| {
                let inner = kind.strip_prefix("Option<").and_then(|inner| inner.strip_suffix('>'));
                let kept = kept(inner.unwrap_or(&kind))
                    .unwrap_or_else(|| panic!("{table}.{name}: say here how {kind} is kept"));
                Column {
                    name,
                    kind: if on_postgres() { kept.1 } else { kept.0 }.to_owned(),
                    nullable: inner.is_some(),
                }
            })
            .collect();
        let mut present: Vec<Column> = tables[&table]
            .iter()
            .filter(|column| !UNREAD.contains(&(table.as_str(), column.name.as_str())))
            .cloned()
            .collect();
        wanted.sort_by(|a, b| a.name.cmp(&b.name));
        present.sort_by(|a, b| a.name.cmp(&b.name));
        assert_eq!(present, wanted, "the table {table}");
    }
}
