//! What reports call what no list of the shop has a word for, in the languages of problem titles.

use crate::kernel::problem::title_language;

/// A word of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wording {
    /// Rows without a key.
    None,
    /// Issues without a type.
    Uncategorised,
    /// What is the public's.
    Everyone,
    /// Rows of the keys that are not shown.
    AllOthers,
    /// All rows.
    Total,
}

impl Wording {
    /// The word in the first of some languages that there is.
    #[must_use]
    pub fn say(self, languages: &[String]) -> String {
        let french = title_language(languages) == "fr";
        let word = match self {
            Self::None => ["None", "Aucun"],
            Self::Uncategorised => ["Uncategorised", "Sans catégorie"],
            Self::Everyone => ["Everyone", "Tout le monde"],
            Self::AllOthers => ["All others", "Tous les autres"],
            Self::Total => ["Total", "Total"],
        };
        word[usize::from(french)].to_owned()
    }
}
