//! What people type to find something, as each database asks for it. Nothing that they type is an error of
//! grammar.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};
use text_index::words;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

use crate::kernel::text::TOO_LONG;

/// Characters at the most.
pub const MAX_LENGTH: usize = 200;
/// Words that count, those that are said again aside: what costs as much as it likes is no question.
const MAX_WORDS: usize = 32;
/// Letters that the last word needs to stand for all words that begin like it; fewer begin half the words
/// there are.
const MIN_PREFIX: usize = 3;

/// Words to find: all of `wanted`, none of `unwanted`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    wanted: Vec<Term>,
    unwanted: Vec<Term>,
}

/// One word, or several in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Term {
    words: Vec<String>,
    /// Whether the last word may go on.
    open: bool,
}

impl FromStr for Terms {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.chars().count() > MAX_LENGTH {
            return Err(format!("{TOO_LONG} {MAX_LENGTH} characters"));
        }
        let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
        let mut still_typed = false;
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let after_minus = rest.strip_prefix('-');
            let said = after_minus.unwrap_or(rest);
            let (said, quoted, after) = match said.strip_prefix('"') {
                Some(quoted) => {
                    let (said, after) = quoted.split_once('"').unwrap_or((quoted, ""));
                    (said, true, after)
                }
                None => {
                    let (said, after) = said
                        .split_at(said.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(said.len()));
                    (said, false, after)
                }
            };
            let open = if quoted { after.starts_with('*') } else { said.ends_with('*') };
            let words: Vec<String> = words(said).map(|word| word.folded).collect();
            if !words.is_empty() {
                still_typed = !quoted && after_minus.is_none();
                if after_minus.is_some() { &mut unwanted } else { &mut wanted }.push(Term { words, open });
            }
            rest = after.trim_start();
        }
        let last = wanted.last_mut().filter(|_| still_typed);
        if let Some(last) = last {
            last.open |= last.words.last().is_some_and(|word| word.chars().count() >= MIN_PREFIX);
        }
        let mut room = MAX_WORDS;
        let wanted = first_words(merged(wanted, false), &mut room);
        let unwanted = first_words(merged(unwanted, true), &mut room);
        match wanted.first() {
            None if unwanted.is_empty() => Err("expected a word to find".into()),
            None => Err("expected a word to find, not only words to leave out".into()),
            Some(_) => Ok(Self { wanted, unwanted }),
        }
    }
}

/// Terms without those that say nothing more: of the same words, one that goes on and one that does not are
/// the one that asks for less, or where they are left out, for more.
fn merged(terms: Vec<Term>, open: bool) -> Vec<Term> {
    let mut kept: Vec<Term> = Vec::new();
    for term in terms {
        match kept.iter_mut().find(|known| known.words == term.words) {
            Some(known) => known.open = if open { known.open || term.open } else { known.open && term.open },
            None => kept.push(term),
        }
    }
    kept
}

/// Terms as far as there is room for their words.
fn first_words(mut terms: Vec<Term>, room: &mut usize) -> Vec<Term> {
    for term in &mut terms {
        term.open &= term.words.len() <= *room;
        term.words.truncate(*room);
        *room -= term.words.len();
    }
    terms.retain(|term| !term.words.is_empty());
    terms
}

impl Terms {
    /// As FTS5 asks, of any kind when there is none. Words are letters, marks, digits and symbols, so that
    /// quotes need no escape.
    pub(super) fn fts5(&self, kinds: &[&str]) -> String {
        let term = |term: &Term| format!("\"{}\"{}", term.words.join(" "), if term.open { " *" } else { "" });
        let all = joined(&self.wanted, " AND ", term);
        let all = if self.unwanted.is_empty() {
            all
        } else {
            format!("({all}) NOT ({})", joined(&self.unwanted, " OR ", term))
        };
        let words = format!("{{title text}} : ({all})");
        let kinds = kinds.iter().map(|kind| format!("\"{kind}\"")).collect::<Vec<_>>().join(" OR ");
        if kinds.is_empty() { words } else { format!("{{kind}} : ({kinds}) AND {words}") }
    }

    /// As PostgreSQL asks, of any kind when there is none.
    pub(super) fn tsquery(&self, kinds: &[&str]) -> String {
        let words = self.ranked();
        let kinds = kinds.iter().map(|kind| format!("'kind:{kind}'")).collect::<Vec<_>>().join(" | ");
        if kinds.is_empty() { words } else { format!("({kinds}) & {words}") }
    }

    /// As PostgreSQL ranks: a kind has no place among the words.
    pub(super) fn ranked(&self) -> String {
        let term = |term: &Term| {
            let words = term.words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>();
            format!("({}{})", words.join(" <-> "), if term.open { ":*" } else { "" })
        };
        let all = joined(&self.wanted, " & ", term);
        if self.unwanted.is_empty() {
            all
        } else {
            format!("{all} & !({})", joined(&self.unwanted, " | ", term))
        }
    }

    /// How many words of these, from the first on, are something that was asked for.
    pub(super) fn covers(&self, words: &[text_index::Word]) -> Option<usize> {
        let fits = |term: &&Term| {
            let Some((last, before)) = term.words.split_last() else { return false };
            let Some(here) = words.get(..term.words.len()) else { return false };
            let ends = &here[before.len()].folded;
            before.iter().zip(here).all(|(wanted, word)| *wanted == word.folded)
                && if term.open { ends.starts_with(last.as_str()) } else { ends == last }
        };
        self.wanted.iter().filter(fits).map(|term| term.words.len()).max()
    }
}

fn joined(terms: &[Term], by: &str, written: impl Fn(&Term) -> String) -> String {
    terms.iter().map(written).collect::<Vec<_>>().join(by)
}

impl<'de> Deserialize<'de> for Terms {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl PartialSchema for Terms {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "Words to find, without regard to case or accents, all of them: `rush shipping`. The last \
                 one may go on, as may \
                 one that ends in `*`; words in `\"quotes\"` stand in a row, among the first 16,000 of a \
                 text; `-word` is left out. \
                 The first 32 different words count.",
            ))
            .max_length(Some(MAX_LENGTH))
            .examples(["rush \"credit card\" -paid"])
            .into()
    }
}

impl ToSchema for Terms {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked(text: &str) -> (String, String) {
        let terms: Terms = text.parse().expect("terms");
        (terms.fts5(&["note"]), terms.tsquery(&["a", "b"]))
    }

    #[test]
    fn words_phrases_beginnings_and_exclusions() {
        for (text, fts5, tsquery) in [
            ("Été", "\"ete\" *", "('ete':*)"),
            ("a to", "\"a\" AND \"to\"", "('a') & ('to')"),
            ("rush shipping", "\"rush\" AND \"shipping\" *", "('rush') & ('shipping':*)"),
            ("sh* rush", "\"sh\" * AND \"rush\" *", "('sh':*) & ('rush':*)"),
            (
                "\"credit card\" A-1001",
                "\"credit card\" AND \"a 1001\" *",
                "('credit' <-> 'card') & ('a' <-> '1001':*)",
            ),
            ("card \"credit ca\"*", "\"card\" AND \"credit ca\" *", "('card') & ('credit' <-> 'ca':*)"),
            (
                "card -paid -\"in full\"",
                "(\"card\") NOT (\"paid\" OR \"in full\")",
                "('card') & !(('paid') | ('in' <-> 'full'))",
            ),
            ("\"open", "\"open\"", "('open')"),
            ("a a A á a", "\"a\"", "('a')"),
            ("rush rush rush", "\"rush\"", "('rush')"),
            (
                "rush \"rush\" rush -paid -paid -paid*",
                "(\"rush\") NOT (\"paid\" *)",
                "('rush') & !(('paid':*))",
            ),
            (
                "AND OR' \\ title:x",
                "\"and\" AND \"or\" AND \"title x\"",
                "('and') & ('or') & ('title' <-> 'x')",
            ),
        ] {
            let wanted = (
                format!("{{kind}} : (\"note\") AND {{title text}} : ({fts5})"),
                format!("('kind:a' | 'kind:b') & {tsquery}"),
            );
            assert_eq!(asked(text), wanted, "{text}");
        }
        let any: Terms = "rush".parse().expect("terms");
        assert_eq!(
            (any.fts5(&[]), any.tsquery(&[])),
            ("{title text} : (\"rush\" *)".to_owned(), "('rush':*)".to_owned())
        );
        for nothing in ["", " ", "-", "\"\"", "*", "!?…", "-paid", "- \"", "\u{300}"] {
            assert!(nothing.parse::<Terms>().is_err(), "{nothing:?}");
        }
        let letters = |count: u8| {
            (0..count)
                .map(|at| format!("{}{}", char::from(b'a' + at / 8), at % 8))
                .collect::<Vec<_>>()
                .join(" ")
        };
        let count = |text: &str| {
            text.parse::<Terms>().expect("terms").wanted.iter().map(|term| term.words.len()).sum::<usize>()
        };
        assert_eq!(
            (count(&letters(31)), count(&letters(40)), count(&"a ".repeat(100)), count(&"🚚".repeat(200))),
            (31, 32, 1, 32)
        );
        assert!("é".repeat(200).parse::<Terms>().is_ok() && "é".repeat(201).parse::<Terms>().is_err());
    }

    proptest! {
        #[test]
        fn nothing_that_is_typed_gets_out_of_its_quotes(text in any::<String>()) {
            let Ok(terms) = text.parse::<Terms>() else { return Ok(()) };
            for term in terms.wanted.iter().chain(&terms.unwanted) {
                for word in &term.words {
                    let plain = !word.contains(['"', '\'', '\\', ' ', '*', ':', '\0']) && !word.is_empty();
                    prop_assert!(plain, "{:?}", word);
                }
            }
        }
    }
}
