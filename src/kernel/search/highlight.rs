//! Excerpts of what was found: HTML in which everything is escaped but `<mark>` around the words that were
//! asked for.

use std::ops::Range;

use text_index::{Word, words};

use super::terms::Terms;

/// Bytes of a text that are looked through for excerpts.
pub(super) const LOOKED_THROUGH: usize = 100_000;
/// Excerpts of a text.
const MAX_EXCERPTS: usize = 2;
/// Bytes before a mark, and after it.
const AROUND: (usize, usize) = (60, 120);

/// The title when it has the words, and excerpts of the text around them.
#[must_use]
pub fn highlights(terms: &Terms, title: &str, text: &str) -> Vec<String> {
    let mut shown = Vec::new();
    let (_, marks) = marked(terms, title);
    if !marks.is_empty() {
        shown.push(written(title, 0..title.len(), &marks));
    }
    let text = &text[..text.floor_char_boundary(LOOKED_THROUGH)];
    let (words, marks) = marked(terms, text);
    let mut beyond = 0;
    for _ in 0..MAX_EXCERPTS {
        let Some(mark) = marks.iter().find(|mark| mark.start >= beyond) else { break };
        let window = window(text, &words, mark, beyond);
        beyond = window.end;
        shown.push(written(text, window, &marks));
    }
    shown
}

/// The words of a text, and where what was asked for stands.
fn marked(terms: &Terms, text: &str) -> (Vec<Word>, Vec<Range<usize>>) {
    let words: Vec<Word> = words(text).collect();
    let (mut marks, mut at): (Vec<Range<usize>>, usize) = (Vec::new(), 0);
    while at < words.len() {
        let covered = terms.covers(&words[at..]).unwrap_or(0);
        if covered > 0 {
            marks.push(words[at].at.start..words[at + covered - 1].at.end);
        }
        at += covered.max(1);
    }
    (words, marks)
}

/// Whole words around a mark, none of them before a place.
fn window(text: &str, words: &[Word], mark: &Range<usize>, from: usize) -> Range<usize> {
    let (least, most) = (mark.start.saturating_sub(AROUND.0).max(from), mark.end + AROUND.1);
    let start = words.iter().map(|word| word.at.start).find(|start| *start >= least).unwrap_or(mark.start);
    let end = words
        .iter()
        .map(|word| word.at.end)
        .take_while(|end| *end <= most)
        .last()
        .unwrap_or(mark.end)
        .max(mark.end);
    // What stands before the first word and behind the last belongs to them.
    (if least == 0 { 0 } else { start })..(if text.len() <= most { text.len() } else { end })
}

fn written(text: &str, window: Range<usize>, marks: &[Range<usize>]) -> String {
    let mut html = String::new();
    let mut at = window.start;
    if !text[..window.start].trim().is_empty() {
        html.push('…');
    }
    for mark in marks.iter().filter(|mark| mark.start >= window.start && mark.end <= window.end) {
        escape(&text[at..mark.start], &mut html);
        html.push_str("<mark>");
        escape(&text[mark.clone()], &mut html);
        html.push_str("</mark>");
        at = mark.end;
    }
    escape(&text[at..window.end], &mut html);
    html.truncate(html.trim_end().len());
    if !text[window.end..].trim().is_empty() {
        html.push('…');
    }
    html
}

/// White space becomes one space, whatever HTML means something by becomes harmless.
fn escape(text: &str, html: &mut String) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c if c.is_whitespace() || c.is_control() => {
                if !html.is_empty() && !html.ends_with(' ') {
                    html.push(' ');
                }
            }
            c => html.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(asked: &str, title: &str, text: &str) -> Vec<String> {
        highlights(&asked.parse().expect("terms"), title, text)
    }

    #[test]
    fn excerpts_are_around_what_was_asked_for() {
        assert_eq!(
            shown("creme", "Crème brûlée", "<b>La CRÈMERIE</b>"),
            ["<mark>Crème</mark> brûlée", "&lt;b&gt;La <mark>CRÈMERIE</mark>&lt;/b&gt;"]
        );
        assert_eq!(
            shown("\"credit card\"", "Credit", "A credit.\n\n Her credit  card"),
            ["A credit. Her <mark>credit card</mark>"]
        );
        let long = format!(
            "{}rush {}rush again{}",
            "before ".repeat(50),
            "between ".repeat(50),
            " after".repeat(50)
        );
        let excerpts = shown("rush -gone", "", &long);
        assert_eq!(excerpts.len(), 2, "{excerpts:?}");
        for excerpt in excerpts {
            assert!(
                excerpt.starts_with('…') && excerpt.ends_with('…') && excerpt.contains("<mark>rush</mark>"),
                "{excerpt}"
            );
            assert!(excerpt.len() < 260, "{excerpt}");
        }
    }

    proptest! {
        #[test]
        fn nothing_but_marks_is_markup(text in "[a-b<>&\"' \n\u{e9}🚚]{0,400}", title in any::<String>()) {
            for html in shown("a \"b a\"", &title, &text) {
                let rest = html.replace("<mark>", "").replace("</mark>", "");
                prop_assert!(!rest.contains(['<', '>', '"', '\'']), "{}", html);
                prop_assert!(html.contains("<mark>"));
            }
        }
    }
}
