//! How text becomes the words that full text finds: without case or accents, in every script, the same for
//! both databases; and how e-mail addresses are compared.

use std::{fmt::Write, ops::Range};

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_segmentation::UnicodeSegmentation;

pub mod email;

/// Characters of a word that count; what is longer is no word that anybody looks for.
const MAX_WORD: usize = 60;
/// Bytes of words in one thing, each with its place: PostgreSQL keeps no more than a mebibyte of them.
const MAX_BYTES: usize = 1_000_000;
/// The last place that PostgreSQL tells from others.
const LAST_PLACE: usize = 16_383;

/// A word, as it is compared, and where it stands in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Without case and accents.
    pub folded: String,
    /// Its bytes in the text.
    pub at: Range<usize>,
}

/// The words of a text: letters, marks and digits that stand together; where a script has no spaces, each
/// character; each emoji.
pub fn words(text: &str) -> impl Iterator<Item = Word> {
    text.split_word_bound_indices().flat_map(|(start, segment)| pieces(start, segment)).filter_map(
        |(at, piece)| {
            let folded = fold(piece);
            (!folded.is_empty()).then_some(Word { folded, at })
        },
    )
}

/// A segment between two word boundaries without what joins words: `l'adresse` and `shop.example` are two
/// words each.
fn pieces(start: usize, segment: &str) -> Vec<(Range<usize>, &str)> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut goes_on = false;
    for (at, c) in segment.char_indices() {
        let end = at + c.len_utf8();
        match part(c) {
            Part::Word if goes_on => found.last_mut().into_iter().for_each(|piece| piece.end = end),
            Part::Word | Part::Symbol => found.push(at..end),
            Part::Nothing if goes_on && is_unseen(c) => continue,
            Part::Nothing => {}
        }
        goes_on = part(c) == Part::Word;
    }
    found.into_iter().map(|piece| (start + piece.start..start + piece.end, &segment[piece])).collect()
}

#[derive(PartialEq, Eq)]
enum Part {
    Word,
    Symbol,
    Nothing,
}

fn part(c: char) -> Part {
    // They say how the symbol before them looks.
    if matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{20e3}') {
        return Part::Nothing;
    }
    match c.general_category_group() {
        GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark | GeneralCategoryGroup::Number => {
            Part::Word
        }
        _ if c.general_category() == GeneralCategory::OtherSymbol => Part::Symbol,
        _ => Part::Nothing,
    }
}

/// Stands inside words and is not seen: the soft hyphen, the joiners.
const fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200c}' | '\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// Without case, accents, and the differences of form that Unicode calls compatible.
fn fold(piece: &str) -> String {
    if piece.is_ascii() {
        return piece.chars().take(MAX_WORD).map(|c| c.to_ascii_lowercase()).collect();
    }
    let plain = piece
        .nfkd()
        .filter(|c| !is_accent(*c))
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .flat_map(letters);
    plain.filter(|c| !is_accent(*c) && part(*c) != Part::Nothing).nfc().take(MAX_WORD).collect()
}

/// What stands over, under or in a letter and is left out by many: of Latin, Greek and Cyrillic, Hebrew and
/// Arabic.
const fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}'
        | '\u{5c5}' | '\u{5c7}')
        || matches!(c, '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}')
}

/// The letters that Unicode does not take apart, as they are written without them.
fn letters(c: char) -> impl Iterator<Item = char> {
    let written: Option<&str> = match c {
        'œ' => Some("oe"),
        'æ' => Some("ae"),
        'ø' => Some("o"),
        'ł' => Some("l"),
        'đ' | 'ð' => Some("d"),
        'þ' => Some("th"),
        'ħ' => Some("h"),
        _ => None,
    };
    let (own, plain) = if written.is_some() { (None, written) } else { (Some(c), None) };
    own.into_iter().chain(plain.unwrap_or_default().chars())
}

/// The words of a thing with a title and a text, as the databases index them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Indexed {
    kind: String,
    title: Vec<String>,
    text: Vec<String>,
}

impl Indexed {
    /// Reads the title and the text of a kind of thing. What is beyond a mebibyte of words is left out.
    #[must_use]
    pub fn new(kind: &str, title: &str, text: &str) -> Self {
        let mut room = MAX_BYTES;
        let mut read = |text: &str| -> Vec<String> {
            let fits = |word: &String| {
                let wants = word.len() + 8;
                let fits = wants <= room;
                room = room.saturating_sub(wants);
                fits
            };
            words(text).map(|word| word.folded).take_while(fits).collect()
        };
        Self { kind: kind.to_owned(), title: read(title), text: read(text) }
    }

    /// Bytes of memory that it takes, about.
    #[must_use]
    pub fn size(&self) -> usize {
        self.title.iter().chain(&self.text).map(|word| size_of::<String>() + word.capacity()).sum()
    }

    /// The words of the title, parted by spaces.
    #[must_use]
    pub fn title(&self) -> String {
        self.title.join(" ")
    }

    /// The words of the text, parted by spaces.
    #[must_use]
    pub fn text(&self) -> String {
        self.text.join(" ")
    }

    /// As a `tsvector` is written; words of the title weigh `A`. The kind is a word that no text has. No
    /// phrase reaches from the title into the text.
    #[must_use]
    pub fn tsvector(&self) -> String {
        let mut written = format!("'kind:{}' ", self.kind);
        let title = self.title.iter().zip(1..).map(|(word, place)| (word, place, "A"));
        let text = self.text.iter().zip(self.title.len() + 2..).map(|(word, place)| (word, place, ""));
        for (word, place, weight) in title.chain(text) {
            let _fits = write!(written, "'{word}':{}{weight} ", place.min(LAST_PLACE));
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        words(text).map(|word| word.folded).collect()
    }

    #[test]
    fn words_have_no_case_and_no_accents() {
        assert_eq!(read("Crème BRÛLÉE, à l'Œuvre!"), ["creme", "brulee", "a", "l", "oeuvre"]);
        assert_eq!(
            read("cre\u{300}me STRASSE straße Smørrebrød Łódź"),
            ["creme", "strasse", "strasse", "smorrebrod", "lodz"]
        );
        assert_eq!(read("ΟΔΥΣΣΕΥΣ Ὀδυσσεύς Ёлка"), ["οδυσσευσ", "οδυσσευσ", "елка"]);
        assert_eq!(read("İstanbul ISPARTA ısparta"), ["istanbul", "isparta", "isparta"]);
    }

    #[test]
    fn words_end_where_somebody_would_look_for_their_parts() {
        assert_eq!(
            read("A-1001 buyer@customer.example l’adresse 3.14 snake_case"),
            ["a", "1001", "buyer", "customer", "example", "l", "adresse", "3", "14", "snake", "case"]
        );
        assert_eq!(read("co\u{ad}operate $150 50% ... !?"), ["cooperate", "150", "50"]);
    }

    #[test]
    fn every_script_has_words() {
        assert_eq!(read("東京タワー"), ["東", "京", "タワー"]);
        assert_eq!(read("ﾀﾜｰ ｆｕｌｌ"), ["タワー", "full"]);
        assert_eq!(read("हिन्दी שָׁלוֹם مُحَمَّد 한국어"), ["हिन्दी", "שלום", "محمد", "한국어"]);
        assert_eq!(read("🚚 sent 👍🏽👩‍👧 ❤️"), ["🚚", "sent", "👍", "👩", "👧", "❤"]);
        assert!(!read("ราคา").is_empty());
    }

    #[test]
    fn words_know_where_they_stand() {
        let text = "Où est l'été?";
        let found: Vec<&str> = words(text).map(|word| &text[word.at]).collect();
        assert_eq!(found, ["Où", "est", "l", "été"]);
    }

    #[test]
    fn a_vector_names_each_word_with_its_place() {
        let read = Indexed::new("note", "Rush it", "A rush");
        assert_eq!(read.tsvector(), "'kind:note' 'rush':1A 'it':2A 'a':4 'rush':5 ");
        assert_eq!((read.title(), read.text()), ("rush it".into(), "a rush".into()));
        let long = Indexed::new("note", "", &"été ".repeat(300_000));
        assert!(long.text.len() > 80_000 && long.tsvector().contains(":16383 "));
    }
}
