//! The house rules of the architecture, held against the sources: who may look at whom, and what belongs in
//! which room.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use caseload::{
    app::{events::catalogue, reactions::reactions},
    kernel::kinds::KINDS,
};

/// The areas in their order, each with its resources in theirs. What stands earlier does not look at what
/// stands later.
const AREAS: &[(&str, &[&str])] = &[
    ("access", &["users", "identities", "groups", "sessions", "api_keys"]),
    ("catalog", &["picklists", "variables", "attachments"]),
    ("customers", &["contacts", "subjects", "facts", "mailing_lists", "commerce_events"]),
    (
        "work",
        &[
            "action_items",
            "notes",
            "issues",
            "work_item_types",
            "routing_rules",
            "interactions",
            "work_items",
            "queues",
            "inbox",
            "offboarding",
        ],
    ),
    ("intake", &["forms", "sources", "connectors"]),
    (
        "outreach",
        &[
            "spelling",
            "canned_responses",
            "mail_templates",
            "messages",
            "inbound",
            "segments",
            "gift_certificates",
            "campaigns",
        ],
    ),
    ("insight", &["home", "dashboard", "timeline", "search", "reports"]),
    ("custody", &["privacy", "transfers"]),
];

/// Stands beside the row: it looks at the kernel and at who may come in.
const INTEGRATION: (&str, &[&str]) = ("integration", &["events", "webhooks", "jobs"]);

/// One file of the sources.
struct Source {
    /// Its place below `src`: `["work", "notes", "service"]`.
    module: Vec<String>,
    /// Its file, for messages.
    file: String,
    /// Its text.
    text: String,
    /// Every path into the crate that it names: `["kernel", "tx", "Tx"]`.
    looks_at: BTreeSet<Vec<String>>,
}

impl Source {
    fn read(root: &Path, file: &Path) -> Self {
        let text = fs::read_to_string(file).expect("a source");
        let below = file.strip_prefix(root).expect("a file below src").with_extension("");
        let mut module: Vec<String> = below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        if module.last().is_some_and(|last| last == "mod") {
            module.pop();
        }
        let looks_at = paths(&code_of(&text), &module);
        Self { module, file: below.display().to_string() + ".rs", text, looks_at }
    }

    fn area(&self) -> &str {
        &self.module[0]
    }

    /// The resource that it is part of; none for files that stand in an area itself.
    fn resource(&self) -> Option<&str> {
        let is_room = |name: &str| resources(self.area()).contains(&name);
        self.module.get(1).map(String::as_str).filter(|name| is_room(name))
    }

    /// The file within its resource: `service`, `http`; empty for `mod.rs`.
    fn part(&self) -> &str {
        self.module.get(2).map_or("", String::as_str)
    }

    /// What it names in an area.
    fn names_in<'a>(&'a self, area: &'a str) -> impl Iterator<Item = &'a Vec<String>> {
        self.looks_at.iter().filter(move |path| path[0] == area)
    }
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn home(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}

fn sources() -> Vec<Source> {
    let (root, mut files) = (home("src"), Vec::new());
    rust_files(&root, &mut files);
    files.sort();
    let read: Vec<Source> = files.iter().map(|file| Source::read(&root, file)).collect();
    assert!(read.len() > 50, "the sources are somewhere else");
    read
}

fn resources(area: &str) -> &'static [&'static str] {
    AREAS.iter().chain([&INTEGRATION]).find(|(name, _)| *name == area).map_or(&[], |(_, resources)| resources)
}

fn place(area: &str) -> Option<usize> {
    AREAS.iter().position(|(name, _)| *name == area)
}

/// The code without comments and without what stands in quotes.
fn code_of(text: &str) -> String {
    let (mut code, mut rest) = (String::new(), text);
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(raw) = rest.strip_prefix("r#\"") {
            raw.find("\"#").map_or(rest.len(), |end| end + 5)
        } else if let Some(quoted) = rest.strip_prefix('"') {
            let mut escaped = false;
            let end = quoted.find(|c: char| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            });
            end.map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with("'\"'") || rest.starts_with("'\\'") {
            3
        } else {
            code.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        code.push(' ');
        rest = &rest[skipped..];
    }
    code
}

/// Every path of the crate that the code names, as seen from its root.
fn paths(code: &str, module: &[String]) -> BTreeSet<Vec<String>> {
    let mut found = BTreeSet::new();
    let mut here = module.to_vec();
    for (index, line) in code.split(';').enumerate() {
        // What follows `mod tests {` is one level deeper; tests stand last.
        if index > 0 && line.contains("mod tests") {
            here.push("tests".into());
        }
        for start in ["crate::", "super::", "self::", "caseload::"] {
            for (at, _) in line.match_indices(start) {
                let before = line[..at].chars().next_back();
                let inside = before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$' || c == ':');
                if !inside {
                    expand(&line[at..], &here, Vec::new(), &mut found);
                }
            }
        }
    }
    found.retain(|path| !path.is_empty());
    found
}

/// Follows one path, branching at braces.
fn expand(text: &str, here: &[String], mut path: Vec<String>, found: &mut BTreeSet<Vec<String>>) {
    let mut rest = text.trim_start();
    loop {
        if let Some(tree) = rest.strip_prefix('{') {
            for branch in branches(tree) {
                expand(branch, here, path.clone(), found);
            }
            return;
        }
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        match name {
            "crate" | "caseload" if path.is_empty() => {}
            "super" if path.is_empty() => path.extend_from_slice(&here[..here.len().saturating_sub(1)]),
            "super" => drop(path.pop()),
            "self" if path.is_empty() => path.extend_from_slice(here),
            "self" | "" => {}
            // A macro stands at the root whatever file declares it.
            _ if path.is_empty() && after.starts_with('!') => return,
            _ => path.push(name.into()),
        }
        match after.trim_start().strip_prefix("::") {
            Some(next) if !name.is_empty() => rest = next.trim_start(),
            _ => break,
        }
    }
    found.insert(path);
}

/// The branches of a `use` tree, up to its closing brace.
fn branches(tree: &str) -> Vec<&str> {
    let (mut depth, mut start, mut found) = (0_usize, 0, Vec::new());
    for (at, c) in tree.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                found.push(&tree[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(&tree[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.retain(|branch| !branch.trim().is_empty());
    found
}

/// Fails with every breach at once.
#[track_caller]
fn none(rule: &str, breaches: &[String]) {
    assert!(breaches.is_empty(), "{rule}:\n  {}", breaches.join("\n  "));
}

fn breach(source: &Source, path: &[String]) -> String {
    format!("{} names {}", source.file, path.join("::"))
}

#[test]
fn the_reader_of_sources_sees_every_way_to_name_something() {
    let code = code_of(
        "// crate::comment::one\nuse crate::{a::b::{self, c}, d::*};\nuse super::{e, f as g};\nuse \
         super::super::h;\n\
         fn h() { crate::i::j(\"crate::quoted\"); crate::macro_of!(); let x: super::k::L; }\nmod tests { use \
         super::*; use super::super::m; }",
    );
    let module = ["work", "notes", "service"].map(str::to_owned);
    let found: BTreeSet<String> = paths(&code, &module).into_iter().map(|path| path.join("::")).collect();
    let wanted = [
        "a::b",
        "a::b::c",
        "d",
        "work::notes::e",
        "work::notes::f",
        "work::h",
        "i::j",
        "work::notes::k::L",
        "work::notes::m",
        "work::notes::service",
    ];
    assert_eq!(found, wanted.map(str::to_owned).into());
}

#[test]
fn every_file_says_what_it_is() {
    let mut breaches = Vec::new();
    for folder in ["src", "macros/src", "migration/src", "tests", "benches"]
        .map(home)
        .iter()
        .filter(|folder| folder.is_dir())
    {
        let mut files = Vec::new();
        rust_files(folder, &mut files);
        for file in files {
            let text = fs::read_to_string(&file).expect("a source");
            if !text.starts_with("//! ") {
                breaches.push(file.display().to_string());
            }
        }
    }
    none("every file begins with `//!` and what it is", &breaches);
}

#[test]
fn every_room_has_its_place() {
    let mut breaches = Vec::new();
    for source in sources() {
        let top = source.module.len() == 1 && matches!(source.area(), "main" | "lib");
        let known = top
            || matches!(source.area(), "app" | "kernel" | "integration")
            || place(source.area()).is_some();
        if !known {
            breaches.push(format!("{}: there is no area {}", source.file, source.area()));
        }
        let in_folder = source.module.len() > 2 && !matches!(source.area(), "app" | "kernel");
        if in_folder && source.resource().is_none() {
            breaches.push(format!(
                "{}: {} has no place in the order of {}",
                source.file,
                source.module[1],
                source.area()
            ));
        }
    }
    none("areas and resources are those of the architecture", &breaches);
}

#[test]
fn nobody_looks_up() {
    let mut breaches = Vec::new();
    for source in sources() {
        for path in &source.looks_at {
            let (from, to) = (source.area(), path[0].as_str());
            let up = match from {
                "main" | "lib" | "app" => false,
                "kernel" => to == "app" || to == "integration" || place(to).is_some(),
                "integration" => to == "app" || place(to).is_some() && to != "access",
                _ => match (place(from), place(to)) {
                    _ if to == "app" => true,
                    // Whoever keeps everything safe may use everything; nobody else looks beside the row.
                    _ if to == "integration" => from != "custody",
                    (Some(from), Some(to)) => to > from,
                    _ => false,
                },
            };
            // What is to be seen is read by nobody: it reads everybody.
            let reads_reader = to == "insight" && !matches!(from, "insight" | "app" | "lib");
            if up || reads_reader {
                breaches.push(breach(&source, path));
            }
        }
    }
    none("main → app → areas → kernel, and areas in their order", &breaches);
}

#[test]
fn resources_look_at_earlier_ones_only() {
    let mut breaches = Vec::new();
    for source in sources() {
        let order = resources(source.area());
        let Some(mine) = source.resource().and_then(|name| order.iter().position(|known| *known == name))
        else {
            continue;
        };
        for path in source.names_in(source.area()) {
            let theirs = path.get(1).and_then(|name| order.iter().position(|known| known == name));
            if theirs.is_some_and(|theirs| theirs > mine) {
                breaches.push(breach(&source, path));
            }
        }
    }
    none("resources stand in their order", &breaches);
}

#[test]
fn the_rooms_of_an_area_have_no_circle() {
    // Files that stand in an area itself count as rooms, too.
    let mut looks: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for source in sources() {
        let (Some(_), Some(room)) = (place(source.area()), source.module.get(1)) else { continue };
        let seen = looks.entry((source.area().to_owned(), room.clone())).or_default();
        seen.extend(
            source
                .names_in(source.area())
                .filter_map(|path| path.get(1))
                .filter(|other| *other != room)
                .cloned(),
        );
    }
    loop {
        // Whoever looks at nobody that is left cannot be part of a circle.
        let left: BTreeSet<(String, String)> = looks.keys().cloned().collect();
        let free = looks.iter().find(|((area, _), seen)| {
            !seen.iter().any(|other| left.contains(&(area.clone(), other.clone())))
        });
        let Some(free) = free.map(|(room, _)| room.clone()) else { break };
        looks.remove(&free);
    }
    none(
        "no circles",
        &looks
            .into_iter()
            .map(|((area, room), seen)| format!("{area}/{room} looks at {seen:?}"))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn resources_are_entered_through_their_door() {
    let mut breaches = Vec::new();
    for source in sources().iter().filter(|source| !matches!(source.area(), "app" | "lib" | "kernel")) {
        for path in &source.looks_at {
            let [area, room, part, ..] = path.as_slice() else { continue };
            let elsewhere = (source.area(), source.resource()) != (area.as_str(), Some(room.as_str()));
            let is_resource = resources(area).contains(&room.as_str());
            if elsewhere && is_resource && matches!(part.as_str(), "http" | "service" | "json") {
                breaches.push(breach(source, path));
            }
        }
    }
    none("into another resource only through its mod.rs", &breaches);
}

#[test]
fn inside_a_resource_the_line_is_straight() {
    const LINE: &[&str] = &["http", "service", "json"];
    let mut breaches = Vec::new();
    for source in sources() {
        let Some(resource) = source.resource() else { continue };
        // Behind the shapes stands the row, which knows none of them; a `service/` folder is part of the
        // rules.
        let singular = resource.trim_end_matches('s');
        let at = LINE
            .iter()
            .position(|part| *part == source.part())
            .or_else(|| (source.part() == singular).then_some(LINE.len()));
        let Some(at) = at else { continue };
        for path in
            source.names_in(source.area()).filter(|path| path.get(1).is_some_and(|room| room == resource))
        {
            let theirs = path.get(2).and_then(|part| LINE.iter().position(|known| known == part));
            if theirs.is_some_and(|theirs| theirs < at) {
                breaches.push(breach(&source, path));
            }
        }
    }
    none("http → service → json → row", &breaches);
}

#[test]
fn only_doors_know_http() {
    let mut breaches = Vec::new();
    for source in sources() {
        let door = match source.area() {
            "app" => true,
            "kernel" => source.module.get(1).is_some_and(|room| room == "http"),
            _ => source.part() == "http",
        };
        if !door && code_of(&source.text).contains("actix") {
            breaches.push(source.file.clone());
        }
    }
    none("only http.rs, kernel/http and app name actix", &breaches);
}

#[test]
fn operations_are_declared_in_one_way() {
    // A route without a description cannot be added; `#[operation(…)]` makes both, and asks who may call it.
    let sources = sources();
    let described = sources.iter().filter(|source| code_of(&source.text).contains("utoipa::path"));
    let breaches: Vec<String> = described.map(|source| source.file.clone()).collect();
    none("operations are declared by #[operation(…)]", &breaches);
}

#[test]
fn bodies_are_read_in_one_place() {
    const OTHERS: &[&str] =
        &["Bytes", ": String,", ": String)", "Json<", "Form<", "Payload", "Multipart", "Either<"];
    let mut breaches = Vec::new();
    let is_other =
        |source: &&Source| source.module.get(..3).is_none_or(|room| room != ["kernel", "http", "body"]);
    for source in sources().iter().filter(is_other) {
        // What comes after `async fn` and before its answer is what a handler takes.
        let code = code_of(&source.text);
        let heads =
            code.split("async fn ").skip(1).filter_map(|rest| rest.split_once("->").map(|(head, _)| head));
        let handlers = heads.filter(|_| source.part() == "http" || source.area() == "app");
        let taken = handlers.filter(|head| OTHERS.iter().any(|other| head.contains(other)));
        breaches.extend(taken.map(|head| format!("{}: {}", source.file, head.trim())));
        if ["Payload::", "payload.take()", "Bytes::from_request", "String::from_request"]
            .iter()
            .any(|other| code.contains(other))
        {
            breaches.push(source.file.clone());
        }
    }
    none("the framework's own extractors decode bodies: those of kernel/http/body do not", &breaches);
}

/// What stands in a text between the first two quotes.
fn quoted(text: &str) -> Option<&str> {
    text.split('"').nth(1)
}

#[test]
fn the_catalogue_has_the_events_of_every_row() {
    let events = catalogue();
    none(
        "a name is one event's",
        &events
            .windows(2)
            .filter(|pair| pair[0].name == pair[1].name)
            .map(|pair| pair[0].name.to_owned())
            .collect::<Vec<_>>(),
    );
    let kind = |name: &'static str| name.split_once('.').expect("a kind, and what happens to it").0;
    let kinds: BTreeSet<&str> = events.iter().map(|event| kind(event.name)).collect();
    let files = sources();
    let rows = files.iter().filter(|source| source.module != ["kernel", "journal"]);
    let rows = rows.filter_map(|source| quoted(source.text.split_once("crate::record!(")?.1));
    assert_eq!(kinds, rows.collect(), "app/events.rs lists what each row declares");
    assert_eq!(kinds, KINDS.iter().map(|kind| kind.name).collect(), "kernel/kinds.rs says who may read it");
    for event in &events {
        let version = event.since.split('.').map(str::parse::<u32>);
        assert!(version.clone().count() == 3 && version.flatten().count() == 3, "{event:?}");
        assert!(event.description.ends_with('.'), "{} is described by a sentence", event.name);
    }
}

#[test]
fn what_is_awaited_can_happen() {
    let events = catalogue();
    let unknown: Vec<String> = reactions()
        .iter()
        .filter(|reaction| !events.contains(reaction.awaited))
        .map(|reaction| reaction.awaited.name.to_owned())
        .collect();
    none("reactions wait for events of the catalogue", &unknown);
}

/// Whether code names a path, and not only one that contains it.
fn names(code: &str, path: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(path)
        .any(|(at, _)| !code[..at].ends_with(inside) && !code[at + path.len()..].starts_with(inside))
}

#[test]
fn every_event_is_written_by_some_code() {
    let files = sources();
    // What waits for an event does not write it.
    let writers: Vec<(&Source, String)> = files
        .iter()
        .filter(|source| source.area() != "app")
        .map(|source| (source, code_of(&source.text)))
        .collect();
    let (mut declared, mut dead) = (BTreeSet::new(), Vec::new());
    for row in files.iter().filter(|source| source.module != ["kernel", "events"]) {
        let Some((_, block)) = row.text.split_once("crate::events!(") else { continue };
        let block = block.split_once("});").expect("its end").0;
        let file = row.module.last().expect("a file");
        for line in
            block.lines().map(str::trim).filter(|line| line.ends_with(',') && !line.starts_with("///"))
        {
            let constant = line.split([':', ' ']).next().expect("its constant");
            declared.insert(quoted(line).expect("its name"));
            let written = writers.iter().any(|(source, code)| {
                let alias = code.split_once(&format!("{file}::{{self as ")).map(|(_, alias)| alias);
                let alias = alias.and_then(|alias| alias.split(',').next()).unwrap_or(file);
                names(code, &format!("{alias}::{constant}"))
                    || source.module == row.module && names(code, &format!("Event<Self> = {constant}"))
            });
            if !written {
                dead.push(format!("{}: {line}", row.file));
            }
        }
    }
    assert_eq!(declared, catalogue().iter().map(|event| event.name).collect(), "the reader sees every event");
    none("an event that is declared is written", &dead);
}

#[test]
fn the_migration_stands_alone() {
    let manifest = fs::read_to_string(home("migration/Cargo.toml")).expect("its manifest");
    assert!(!manifest.contains("caseload"), "the migration does not depend on the application");
    let mut files = Vec::new();
    rust_files(&home("migration/src"), &mut files);
    assert!(!files.is_empty());
    let breaches: Vec<String> = files
        .iter()
        .filter(|file| code_of(&fs::read_to_string(file).expect("a source")).contains("caseload::"))
        .map(|file| file.display().to_string())
        .collect();
    none("the migration imports nothing from the application", &breaches);
}

/// The file that a path leads into: the one whose module is the longest beginning of it.
fn file_of<'a>(path: &[String], files: &BTreeMap<&[String], &'a str>) -> Option<&'a str> {
    (1..=path.len()).rev().find_map(|length| files.get(&path[..length]).copied())
}

/// What a `mod.rs` hands on from the files below it.
fn handed_on(source: &Source) -> Vec<Vec<String>> {
    let mut found = BTreeSet::new();
    for item in code_of(&source.text).split(';') {
        if let Some((_, tree)) = item.split_once("pub use ") {
            expand(&format!("self::{tree}"), &source.module, Vec::new(), &mut found);
        }
    }
    found.into_iter().filter(|path| path.len() > source.module.len()).collect()
}

#[test]
fn no_files_look_at_each_other_in_a_ring() {
    let sources = sources();
    let code = sources.iter().filter(|source| !matches!(source.area(), "main" | "lib"));
    let files: BTreeMap<&[String], &str> =
        code.clone().map(|source| (source.module.as_slice(), source.file.as_str())).collect();
    let mut looks: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for source in code {
        let handed_on = if source.file.ends_with("mod.rs") { handed_on(source) } else { Vec::new() };
        // What tests look at is no part of the house.
        let code = source.text.split("#[cfg(test)]").next().unwrap_or_default();
        let looks_at = paths(&code_of(code), &source.module);
        let seen = looks_at.iter().chain(&handed_on).filter_map(|path| file_of(path, &files));
        looks.insert(&source.file, seen.filter(|file| *file != source.file).collect());
    }
    // Whoever looks at nobody that is left, or is looked at by nobody that is left, is in no ring.
    loop {
        let seen: BTreeSet<&str> = looks.values().flatten().copied().collect();
        let free = looks
            .iter()
            .find(|(file, at)| !seen.contains(*file) || !at.iter().any(|other| looks.contains_key(other)));
        let Some(free) = free.map(|(file, _)| *file) else { break };
        looks.remove(free);
    }
    let rings: Vec<String> = looks
        .iter()
        .map(|(file, seen)| {
            let ring: Vec<&str> = seen.iter().filter(|other| looks.contains_key(*other)).copied().collect();
            format!("{file} looks at {}", ring.join(", "))
        })
        .collect();
    none("no files look at each other in a ring", &rings);
}

/// The sources, the tests and what else is written in Rust.
fn everything_in_rust() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches", "macros", "migration", "text_index", "fuzz"] {
        rust_files(&home(folder), &mut files);
    }
    files.retain(|file| !file.components().any(|part| part.as_os_str() == "target"));
    files
}

#[test]
fn lines_are_short() {
    const MAX_COLUMNS: usize = 110;
    let mut breaches = Vec::new();
    for file in everything_in_rust() {
        let text = fs::read_to_string(&file).expect("a source");
        let long = text.lines().enumerate().filter(|(_, line)| line.chars().count() > MAX_COLUMNS);
        breaches.extend(long.map(|(index, _)| format!("{}:{}", file.display(), index + 1)));
    }
    none("no line has more columns", &breaches);
}

#[test]
fn mechanisms_have_the_words_of_the_field() {
    // Each with what is said instead.
    const RETIRED: &[(&str, &str)] = &[
        ("LONGEST_", "MAX_"),
        ("MOST_", "MAX_"),
        ("LARGEST_", "MAX_"),
        ("LEAST_", "MIN_"),
        ("SHORTEST_", "MIN_"),
        ("fn hold", "lock_for_update, lock_for_share, matches"),
        ("struct Held", "Locked…"),
        ("fn patiently", "with_timeout"),
        ("struct Broken", "Violations"),
        ("fn alone", "advisory_lock"),
        ("fn apart", "savepoint"),
        ("fn own(tx", "resolve_assignee"),
        ("fn may_work", "authorize_write"),
        ("fn oversees", "is_manager"),
        ("fn learn", "preload"),
        ("fn whom", "resolve_subject"),
        ("struct Found", "IdRow, Lookup"),
        ("fn found(reader", "filtered_query"),
        ("fn dealings", "activities"),
        ("fn having", "matching"),
        ("struct Call", "JsonBody"),
        ("struct Command", "NoBody"),
        ("struct Submission", "FormBody"),
        ("struct Listing", "ListReply"),
        ("struct Figures", "ReportReply"),
        ("struct LastWords", "LingeringBody"),
        ("struct Outgoing", "HttpClient"),
        ("struct Question", "Request"),
        ("enum Whose", "OwnerFilter"),
        ("struct Belongs", "EventPlacement"),
        ("fn foresee", "precheck"),
        ("fn aside", "run_blocking"),
    ];
    let mut breaches = Vec::new();
    for source in sources() {
        let code = code_of(&source.text);
        let used = RETIRED.iter().filter(|(word, _)| {
            code.match_indices(word).any(|(at, _)| {
                let before = code[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '_');
                let after = code[at + word.len()..].chars().next();
                before && (word.ends_with('_') || after.is_none_or(|c| !c.is_alphanumeric() && c != '_'))
            })
        });
        breaches.extend(used.map(|(word, instead)| format!("{}: {word}, not {instead}", source.file)));
    }
    none("mechanisms have the words of the field (docs/contributing.md)", &breaches);
}
