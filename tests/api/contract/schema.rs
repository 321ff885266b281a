//! The schema: every entity's columns are those of the migrated tables, on both databases.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

/// A column as the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub kind: String,
    pub nullable: bool,
}

/// The tables of a database with their columns.
pub async fn tables(database: &DatabaseConnection) -> BTreeMap<String, Vec<Column>> {
    let backend = database.get_database_backend();
    let sql = match backend {
        DbBackend::Sqlite => {
            "SELECT tables.name, columns.name, LOWER(columns.type), CASE WHEN columns.\"notnull\" THEN 'NO' ELSE 'YES' END \
             FROM sqlite_master AS tables JOIN pragma_table_info(tables.name) AS columns \
             WHERE tables.type = 'table' AND tables.name NOT LIKE 'seaql%'"
        }
        _ => {
            "SELECT table_name::text, column_name::text, data_type::text, is_nullable::text FROM information_schema.columns \
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
