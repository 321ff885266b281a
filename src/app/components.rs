//! What several operations of the OpenAPI document have is said once, among its components, and referred to.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Value, json};

/// Moves each parameter that more than one operation takes to the components.
pub fn share_parameters(document: &mut Value) {
    let mut uses: HashMap<String, usize> = HashMap::new();
    for_each_operation(document, |operation| {
        for parameter in parameters(operation) {
            *uses.entry(parameter.to_string()).or_default() += 1;
        }
    });
    let mut names = Names::taken_in(&document["components"]);
    let mut shared: HashMap<String, String> = HashMap::new();
    let mut components = document["components"]["parameters"].take();
    for_each_operation(document, |operation| {
        let tag = operation["tags"][0].as_str().unwrap_or_default().to_owned();
        for parameter in parameters(operation) {
            let text = parameter.to_string();
            if parameter.get("$ref").is_none() && uses.get(&text).is_some_and(|uses| *uses > 1) {
                let name = parameter["name"].as_str().unwrap_or_default();
                let name = shared.entry(text).or_insert_with(|| names.fresh(name, &tag));
                let reference = json!({ "$ref": format!("#/components/parameters/{name}") });
                components[&*name] = std::mem::replace(parameter, reference);
            }
        }
    });
    document["components"]["parameters"] = components;
}

fn for_each_operation(document: &mut Value, mut act: impl FnMut(&mut Value)) {
    let items = document["paths"].as_object_mut().into_iter().flatten();
    items.filter_map(|(_, item)| item.as_object_mut()).flatten().for_each(|(_, operation)| act(operation));
}

fn parameters(operation: &mut Value) -> impl Iterator<Item = &mut Value> {
    operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten()
}

/// Names of components. Generators make types of them whatever their case, and of all sections alike.
struct Names(BTreeSet<String>);

impl Names {
    fn taken_in(components: &Value) -> Self {
        let sections = components.as_object().into_iter().flatten();
        let names = sections.filter_map(|(_, section)| section.as_object()).flatten();
        Self(names.map(|(name, _)| Self::folded(name)).collect())
    }

    fn folded(name: &str) -> String {
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
    }

    /// A parameter's own name, where another has it with that of the tag before it.
    fn fresh(&mut self, name: &str, tag: &str) -> String {
        let (own, tagged) = (pascal_case(name), pascal_case(&format!("{tag}_{name}")));
        let numbered = (2..).map(|number| format!("{tagged}{number}"));
        let mut candidates = [own, tagged.clone()].into_iter().chain(numbered);
        candidates.find(|candidate| self.0.insert(Self::folded(candidate))).unwrap_or_default()
    }
}

fn pascal_case(name: &str) -> String {
    let words = name.split('_').filter_map(|word| word.split_at_checked(1));
    words.map(|(first, rest)| first.to_ascii_uppercase() + rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_operations_take_is_said_once() {
        let parameter = |name: &str, about: &str| json!({ "name": name, "description": about });
        let (limit, own) = (parameter("limit", "Rows."), parameter("limit", "Notes."));
        let (first, second) = (parameter("created_at", "When."), parameter("created_at", "When it was."));
        let operation = |tag: &str, parameters: &[&Value]| json!({ "tags": [tag], "parameters": parameters });
        let mut document = json!({
            "paths": {
                "/users": { "get": operation("users", &[&limit, &first]) },
                "/notes": { "get": operation("notes", &[&own, &first, &second]) },
                "/work_items": {
                    "get": operation("work_items", &[&limit, &second]),
                    "post": { "tags": ["work_items"] },
                },
            },
            "components": { "parameters": {}, "schemas": { "Limit": {} } },
        });
        share_parameters(&mut document);
        assert_eq!(
            document["components"]["parameters"],
            json!({ "UsersLimit": limit, "CreatedAt": first, "NotesCreatedAt": second })
        );
        let reference = |name: &str| json!({ "$ref": format!("#/components/parameters/{name}") });
        assert_eq!(
            document["paths"]["/notes"]["get"]["parameters"],
            json!([own, reference("CreatedAt"), reference("NotesCreatedAt")])
        );
    }
}
