//! Passwords that somebody would guess: common words, names, patterns of the keyboard, repetitions (NIST SP
//! 800-63B, 3.1.1.2).

use tokio::sync::Semaphore;
use zxcvbn::{Score, zxcvbn};

use crate::kernel::{
    blocking::with_permit,
    error::{Error, Result},
};

/// Looking for patterns takes a while for some passwords: one at a time, so that sign-ins are not held up.
static PERMITS: Semaphore = Semaphore::const_new(1);

/// Characters whose strength is estimated; those behind them are left aside. The time that it takes grows
/// faster than they do, and a pattern shows sooner.
const MAX_ESTIMATED: usize = 64;

/// Guesses that a password must withstand: ten thousand million, which is a lot where each costs what ours
/// cost.
const MIN_SCORE: Score = Score::Three;

/// Refuses a new password that is easy to guess for whoever knows whose it is.
pub async fn refuse_weak(field: &str, password: &str, about: Vec<String>) -> Result<()> {
    match weakness(password, about).await? {
        None => Ok(()),
        Some(why) => Err(Error::field(field, "weak", format!("is easy to guess: {why}"))),
    }
}

/// Why a password is easy to guess for whoever knows whose it is, if it is.
pub async fn weakness(password: &str, about: Vec<String>) -> Result<Option<String>> {
    let password: String = password.chars().take(MAX_ESTIMATED).collect();
    with_permit(&PERMITS, move || weakness_of(&password, &about)).await
}

fn weakness_of(password: &str, about: &[String]) -> Option<String> {
    let parts = about
        .iter()
        .flat_map(|known| known.split(|c: char| !c.is_alphanumeric()))
        .filter(|part| part.chars().count() > 2);
    let known: Vec<&str> =
        about.iter().map(String::as_str).chain(parts).chain(["caseload", "customer service"]).collect();
    let guessed = zxcvbn(password, &known);
    let why = || {
        guessed.feedback().and_then(zxcvbn::feedback::Feedback::warning).map(|warning| warning.to_string())
    };
    (guessed.score() < MIN_SCORE).then(|| why().unwrap_or_else(|| "add another word or two.".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_weak_and_several_words_are_not() {
        let about = ["ana.ruiz@shop.example".to_owned(), "Ana Ruiz".to_owned()];
        let repeated = "qwerty".repeat(33);
        for weak in [
            "Password1234",
            "aaaaaaaaaaaa",
            "123456789012",
            "qwertyuiop12",
            "ana.ruiz@shop.example",
            "Ana Ruiz 2026",
            "anaruizanaruiz",
            &repeated,
        ] {
            assert!(weakness_of(weak, &about).is_some(), "{weak}");
        }
        for strong in ["a long first password", "correct horse battery", "x1y2z3a4b5c6", "ßøłþ gün ïpsŵm"]
        {
            assert_eq!(weakness_of(strong, &about), None, "{strong}");
        }
    }
}
