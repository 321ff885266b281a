//! What a key may be given by whoever hands it out: scopes, time, forms and origins.

use std::collections::BTreeSet;

use super::super::api_key::Scopes;
use crate::kernel::{
    actor::{Actor, ActorKind, Bounds, Scope},
    clock::Timestamp,
    error::{Code, Error, Result, Violation, Violations},
};

/// The scopes that a key gets: all must exist, and each be held by the key already or by who hands it out.
pub fn granted(actor: &Actor, named: &[String], held: &BTreeSet<Scope>) -> Result<Scopes> {
    let mut scopes = BTreeSet::new();
    let (mut unknown, mut beyond) = (Vec::new(), Vec::new());
    for (index, name) in named.iter().enumerate() {
        let at = format!("scopes/{index}");
        match name.parse::<Scope>() {
            Err(()) => unknown.push(Violation::field(&at, "unknown_value", format!("{name:?} is no scope"))),
            Ok(scope) if !held.contains(&scope) && !actor.may_grant(scope) => {
                beyond.push(Violation::field(&at, "not_held", format!("{scope} is not yours to hand out")));
            }
            Ok(scope) => drop(scopes.insert(scope)),
        }
    }
    if !unknown.is_empty() {
        return Err(Error::invalid(unknown));
    }
    if !beyond.is_empty() {
        let refusal = Error::new(Code::NotAllowed, "Nobody can hand out scopes that they do not have.");
        return Err(beyond.into_iter().fold(refusal, Error::with_violation));
    }
    Ok(scopes.into_iter().collect())
}

/// Refuses an end that has passed.
pub fn refuse_past(expires_at: Option<Timestamp>, now: Timestamp) -> Result<()> {
    match expires_at {
        Some(end) if end <= now => Err(Error::field("expires_at", "too_early", "must be in the future")),
        _ => Ok(()),
    }
}

/// A key gives no key more time than it has itself.
pub fn refuse_beyond_ones_own(actor: &Actor, expires_at: Option<Timestamp>) -> Result<()> {
    match actor.expires_at.filter(|_| actor.kind == ActorKind::ApiKey) {
        Some(end) if expires_at.is_none_or(|wanted| wanted > end) => {
            Err(Error::new(Code::NotAllowed, "An API key gives no key more time than it has itself.")
                .with_violation(Violation::field(
                    "expires_at",
                    "not_held",
                    format!("must not be after {end}, when the key that asks ends"),
                )))
        }
        _ => Ok(()),
    }
}

/// A publishable key posts to some forms from the pages of some origins, and does nothing else.
pub fn check_bounds(bounds: &Bounds, scopes: &Scopes) -> Result<()> {
    let mut violations = Violations::default();
    if scopes.0 != [Scope::IntakeWrite.as_str()] {
        violations.collect::<()>(Err(Error::field(
            "scopes",
            "not_here",
            "a publishable key has the scope intake:write alone",
        )))?;
    }
    for (field, named) in [("forms", &bounds.forms), ("origins", &bounds.origins)] {
        if named.is_empty() {
            violations.collect::<()>(Err(Error::field(
                field,
                "required",
                format!("a publishable key needs its {field}"),
            )))?;
        }
    }
    violations.into_result()
}

/// Refuses forms and origins of a key that is not publishable.
pub fn refuse_bounds(forms: bool, origins: bool) -> Result<()> {
    let named = [("forms", forms), ("origins", origins)].into_iter().filter(|(_, named)| *named);
    let broken: Vec<Violation> = named
        .map(|(field, _)| Violation::field(field, "not_here", format!("only publishable keys have {field}")))
        .collect();
    if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
}
