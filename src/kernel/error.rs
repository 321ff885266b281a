//! The one error type: a code with its explanation, what was wrong where, and nothing of HTTP.

use std::fmt::Display;

use sea_orm::{DbErr, RuntimeErr, SqlErr};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What every fallible rule returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of refusal a code is; `kernel/problem.rs` turns it into a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It cannot be parsed.
    Malformed,
    /// Nobody, or somebody we do not know.
    Unauthenticated,
    /// Somebody, but not allowed.
    Forbidden,
    /// Not there, or its being there is private.
    NotFound,
    /// The path is there, the method is not.
    MethodNotAllowed,
    /// No form that the caller accepts.
    NotAcceptable,
    /// It does not fit the present state.
    Conflict,
    /// `If-Match` names another version.
    Stale,
    /// It did not arrive in time.
    TooSlow,
    /// More than we take.
    TooLarge,
    /// Not a form that we read.
    UnsupportedMedia,
    /// Understood, but wrong.
    Invalid,
    /// Too often.
    Limited,
    /// Not now; try again.
    Unavailable,
    /// Our own fault.
    Internal,
}

macro_rules! codes {
    ($($variant:ident $text:literal $kind:ident $title:literal $title_fr:literal $about:literal;)*) => {
        /// Every code that a problem can carry; the words behind it are served at `/problems/{code}`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code { $(#[doc = $about] $variant,)* }

        impl Code {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// The code as clients read it.
            #[must_use]
            pub const fn as_str(self) -> &'static str { match self { $(Self::$variant => $text,)* } }
            /// What sort of refusal it is.
            #[must_use]
            pub const fn kind(self) -> Kind { match self { $(Self::$variant => Kind::$kind,)* } }
            /// A few words for people, in English or French.
            #[must_use]
            pub fn title(self, language: &str) -> &'static str {
                match (self, language) { $((Self::$variant, "fr") => $title_fr,
                    (Self::$variant, _) => $title,)* }
            }
            /// What it means and what to do about it.
            #[must_use]
            pub const fn about(self) -> &'static str { match self { $(Self::$variant => $about,)* } }
        }
    };
}

codes! {
    BadRequest "bad_request" Malformed "Bad request" "Requête incorrecte"
        "The request could not be read. The detail says which part.";
    BadJson "bad_json" Malformed "Malformed JSON" "JSON mal formé"
        "The body is not JSON, is not UTF-8, or nests deeper than 64 levels.";
    BadQuery "bad_query" Malformed "Bad query parameter" "Paramètre de requête incorrect"
        "A query parameter is unknown or has a value that it cannot have. `errors` names each parameter.";
    BadCursor "bad_cursor" Malformed "Foreign cursor" "Curseur étranger"
        "The cursor is damaged, or belongs to another filter or sort. Start again without it.";
    BadHeader "bad_header" Malformed "Bad header" "En-tête incorrect"
        "A header has a value that it cannot have. `errors` names it.";
    Unauthenticated "unauthenticated" Unauthenticated "Sign-in required" "Connexion requise"
        "Send `Authorization: Bearer` with an access token or an API key.";
    InvalidToken "invalid_token" Unauthenticated "Invalid credential" "Identifiant invalide"
        "The token or key is unknown, damaged, expired or revoked.";
    InvalidCredentials "invalid_credentials" Unauthenticated "Wrong e-mail or password" "Adresse ou mot de \
         passe incorrect" "The e-mail and password do not belong together, or the account is not active.";
    MissingScope "missing_scope" Forbidden "Not allowed" "Non autorisé"
        "The credential lacks the scope that the operation names, or the person lacks the role.";
    NotYourQueue "not_your_queue" Forbidden "Not your queue" "Pas votre file"
        "Queues belong to their person or to the members of their group; managers see every group's.";
    NotYourItem "not_your_item" Forbidden "Not your item" "Pas votre tâche"
        "Agents work on their own items, their groups' and public ones; managers on all.";
    NotAllowed "not_allowed" Forbidden "Not allowed" "Non autorisé"
        "The rule that forbids it is in the detail.";
    NotFound "not_found" NotFound "Not found" "Introuvable" "There is nothing here, or it is not for you.";
    MethodNotAllowed "method_not_allowed" MethodNotAllowed "Method not allowed" "Méthode non autorisée"
        "The path exists; the `Allow` header names its methods.";
    NotAcceptable "not_acceptable" NotAcceptable "Not acceptable" "Non acceptable"
        "None of the forms named in `Accept` or `format` can be given.";
    Conflict "conflict" Conflict "Conflict" "Conflit" "The change does not fit the present state.";
    AlreadyExists "already_exists" Conflict "Already exists" "Existe déjà"
        "Something with the same unique value is there already. `errors` names the field.";
    AlreadyClaimed "already_claimed" Conflict "Already claimed" "Déjà pris"
        "Somebody holds the item; `holder` says who.";
    NotClaimable "not_claimable" Conflict "Nothing to claim" "Rien à prendre"
        "Only open items of groups and of the public can be claimed.";
    NothingToRelease "nothing_to_release" Conflict "Nothing to release to" "Aucune file d'origine"
        "The item was never claimed from a queue, so there is none to give it back to.";
    WrongStatus "wrong_status" Conflict "Wrong status" "Statut incompatible"
        "The command does not fit the item's present status.";
    IllegalTransition "illegal_transition" Conflict "Not from here" "Pas depuis ce statut"
        "The item's type does not let this status follow the present one; `allowed` names those that may.";
    OpenWork "open_work" Conflict "Open work" "Travail en cours"
        "Somebody would be left without an owner for open work; `open_work` counts it. Move it first.";
    LastAdmin "last_admin" Conflict "Last administrator" "Dernier administrateur"
        "One active administrator must remain.";
    Merged "merged" Conflict "Merged" "Fusionné"
        "The thing was merged into another, which `merged_into` names; change that one.";
    NotMerged "not_merged" Conflict "Not merged" "Non fusionné" "There is no merge to be undone.";
    ConflictingIdentities "conflicting_identities" Conflict "Conflicting identities" "Identités \
         contradictoires" "The same system knows both by different ids, so they are two; `despite_conflict` \
         merges them all the same.";
    InUse "in_use" Conflict "In use" "Utilisé" "Something still needs it.";
    NoSecretKey "no_secret_key" Conflict "No key for credentials" "Clé de chiffrement absente" "Credentials \
         are kept encrypted, and the server lacks the key: set CASELOAD_SECRET_KEY, or enter credentials \
         that an older key encrypted again.";
    OutsideRefused "outside_refused" Conflict "The other system refuses" "L'autre système refuse" "Another \
         system does not accept what is asked of it, or answers what cannot be read; the detail says which. \
         Asking again changes nothing until something is set right.";
    InProgress "idempotency_in_progress" Conflict "Still in progress" "Toujours en cours"
        "The first request with this Idempotency-Key has not finished. Try again.";
    Stale "stale_version" Stale "Changed meanwhile" "Modifié entre-temps"
        "`If-Match` names another version than the present one, which `current_version` gives.";
    RequestTimeout "request_timeout" TooSlow "Request too slow" "Requête trop lente"
        "The body did not arrive in time.";
    BodyTooLarge "body_too_large" TooLarge "Too large" "Trop volumineux"
        "The body is larger than the server takes.";
    UnsupportedMediaType "unsupported_media_type" UnsupportedMedia "Unsupported media type" "Type de contenu \
         non pris en charge" "Send `Content-Type: application/json`; patches also \
         `application/merge-patch+json`.";
    UnsupportedEncoding "unsupported_encoding" UnsupportedMedia "Unsupported encoding"
        "Encodage non pris en charge" "Send the body as it is, without `Content-Encoding`.";
    Invalid "invalid" Invalid "Invalid" "Non valide"
        "The request was understood but breaks a rule. `errors` names every field and its rule.";
    IdempotencyMismatch "idempotency_mismatch" Invalid "Idempotency key used before" "Clé d'idempotence déjà \
         utilisée" "This Idempotency-Key came with another body within the last 24 hours.";
    NobodyActing "nobody_acting" Invalid "Nobody to act for" "Personne concernée absente"
        "An API key that acts for nobody must name whom it means.";
    RateLimited "rate_limited" Limited "Too many requests" "Trop de requêtes"
        "Wait as long as `Retry-After` says.";
    TooManyFailures "too_many_failures" Limited "Too many failed sign-ins"
        "Trop d'échecs de connexion" "Wait as long as `Retry-After` says.";
    Busy "busy" Unavailable "Busy" "Occupé"
        "The server has more waiting than it takes. Nothing was done; try again.";
    DatabaseUnavailable "database_unavailable" Unavailable "Database unavailable"
        "Base de données indisponible" "The database cannot be reached. Try again.";
    ProviderUnavailable "provider_unavailable" Unavailable "Identity provider unavailable" "Fournisseur \
         d'identité indisponible" "The keys of the outside OpenID provider cannot be read. Try again.";
    OutsideUnavailable "outside_unavailable" Unavailable "The other system does not answer" "L'autre système \
         ne répond pas" "Another system cannot be reached, or cannot answer just now. Jobs try again by \
         themselves.";
    Timeout "timeout" Unavailable "Took too long" "Délai dépassé"
        "The request took longer than the server allows.";
    Internal "internal" Internal "Internal error" "Erreur interne"
        "This is our fault. The request id leads to it in the log.";
}

/// One rule that was broken, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// Where: a JSON pointer into the body, a query parameter or a header.
    #[serde(flatten)]
    pub place: Location,
    /// The rule, stable for programs.
    pub code: String,
    /// The rule, in words.
    pub detail: String,
}

/// Where a rule was broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Location {
    /// A JSON pointer into the body, as a URI fragment.
    Pointer(String),
    /// The name of a query parameter.
    Parameter(String),
    /// The name of a header.
    Header(String),
}

impl Violation {
    /// A broken rule about a field of the body; `field` is a path such as `assignee/id`.
    pub fn field(field: &str, code: &str, detail: impl Into<String>) -> Self {
        let pointer = if field.is_empty() { "#".to_owned() } else { format!("#/{field}") };
        Self { place: Location::Pointer(pointer), code: code.into(), detail: detail.into() }
    }

    /// A broken rule about a query parameter.
    pub fn parameter(name: &str, code: &str, detail: impl Into<String>) -> Self {
        Self { place: Location::Parameter(name.into()), code: code.into(), detail: detail.into() }
    }

    /// A broken rule about a header.
    pub fn header(name: &str, code: &str, detail: impl Into<String>) -> Self {
        Self { place: Location::Header(name.into()), code: code.into(), detail: detail.into() }
    }
}

/// A refusal or a failure.
#[derive(Debug)]
pub struct Error(Box<Refusal>);

/// What an [`Error`] carries.
#[derive(Debug)]
pub struct Refusal {
    /// Which refusal it is.
    pub code: Code,
    /// What happened this time, for people.
    pub detail: String,
    /// Every rule that was broken.
    pub violations: Vec<Violation>,
    /// Further members of the problem, such as the holder of a claimed item.
    pub extra: Map<String, Value>,
    /// Seconds after which another try makes sense.
    pub retry_after: Option<u64>,
    /// What went wrong inside; for the log only.
    pub cause: Option<String>,
}

impl Error {
    /// A refusal with its words.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Box::new(Refusal {
            code,
            detail: detail.into(),
            violations: Vec::new(),
            extra: Map::new(),
            retry_after: None,
            cause: None,
        }))
    }

    /// Nothing of that kind there.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("There is no such {what}."))
    }

    /// Broken rules of the body, all of them.
    #[must_use]
    pub fn invalid(violations: Vec<Violation>) -> Self {
        let detail = match violations.as_slice() {
            [one] => one.detail.clone(),
            many => format!("{} rules are broken.", many.len()),
        };
        let mut error = Self::new(Code::Invalid, detail);
        error.0.violations = violations;
        error
    }

    /// One broken rule of the body.
    pub fn field(field: &str, code: &str, detail: impl Into<String>) -> Self {
        Self::invalid(vec![Violation::field(field, code, detail)])
    }

    /// Broken rules of the query.
    #[must_use]
    pub fn query(violations: Vec<Violation>) -> Self {
        let detail =
            violations.iter().map(|violation| violation.detail.as_str()).collect::<Vec<_>>().join(" ");
        let mut error = Self::new(Code::BadQuery, detail);
        error.0.violations = violations;
        error
    }

    /// One broken rule of the query.
    pub fn parameter(name: &str, code: &str, detail: impl Into<String>) -> Self {
        Self::query(vec![Violation::parameter(name, code, detail)])
    }

    /// A bad header.
    pub fn header(name: &str, code: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let mut error = Self::new(Code::BadHeader, detail.clone());
        error.0.violations.push(Violation::header(name, code, detail));
        error
    }

    /// Our own fault; the cause, and where this was called, go to the log only. As a function that is handed
    /// over it does not know by whom: [`ResultExt::internal`] does.
    #[track_caller]
    pub fn internal(cause: impl Display) -> Self {
        let caller = std::panic::Location::caller();
        let mut error = Self::new(Code::Internal, "Something went wrong on our side.");
        error.0.cause = Some(format!("{cause}, at {}:{}", caller.file(), caller.line()));
        error
    }

    /// What whoever runs the server has to mend before it can start, in words for them; no client sees it.
    #[must_use]
    pub fn setup(why: impl Display) -> Self {
        let mut error = Self::internal("");
        error.0.cause = Some(why.to_string());
        error
    }

    /// What whoever runs the server is told: of what is not a client's to know, the cause.
    #[must_use]
    pub fn for_operator(&self) -> String {
        match &self.0.cause {
            Some(cause) if self.code() == Code::Internal => cause.clone(),
            Some(cause) => format!("{} ({cause})", self.0.detail),
            None => self.0.detail.clone(),
        }
    }

    /// The same refusal once more, for a layer that only saw it pass.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        let Refusal { code, detail, violations, extra, retry_after, cause } = &*self.0;
        Self(Box::new(Refusal {
            code: *code,
            detail: detail.clone(),
            violations: violations.clone(),
            extra: extra.clone(),
            retry_after: *retry_after,
            cause: cause.clone(),
        }))
    }

    /// Adds a member to the problem.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Serialize) -> Self {
        const OWN: [&str; 8] =
            ["type", "title", "status", "code", "detail", "instance", "request_id", "errors"];
        debug_assert!(!OWN.contains(&member), "every problem has a {member} of its own");
        self.0.extra.insert(member.into(), serde_json::to_value(value).unwrap_or_default());
        self
    }

    /// Adds a broken rule.
    #[must_use]
    pub fn with_violation(mut self, violation: Violation) -> Self {
        self.0.violations.push(violation);
        self
    }

    /// Says after how many seconds another try makes sense.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds.max(1));
        self
    }

    /// Which refusal it is.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// Everything it carries.
    #[must_use]
    pub fn refusal(&self) -> &Refusal {
        &self.0
    }

    /// Puts the pointers of broken rules below a field, for a shape nested in another.
    #[must_use]
    pub fn below(mut self, field: &str) -> Self {
        for violation in &mut self.0.violations {
            if let Location::Pointer(pointer) = &mut violation.place {
                let rest = pointer.trim_start_matches('#').to_owned();
                *pointer = format!("#/{field}{rest}");
            }
        }
        self
    }

    /// The refusal of a filter that stands in the body, below a field, and not in the query.
    #[must_use]
    pub fn of_filter_at(self, field: &str) -> Self {
        let in_body = |violation: &Violation| match &violation.place {
            Location::Parameter(name) => {
                Violation::field(&format!("{field}/{name}"), &violation.code, violation.detail.clone())
            }
            _ => violation.clone(),
        };
        match self.0.code {
            Code::BadQuery => Self::invalid(self.0.violations.iter().map(in_body).collect()),
            _ => self,
        }
    }

    /// Puts the pointers of broken rules at the name that a field has in this request.
    #[must_use]
    pub fn renamed(mut self, field: &str, name: &str) -> Self {
        for violation in &mut self.0.violations {
            if let Location::Pointer(pointer) = &mut violation.place
                && let Some(rest) = pointer.strip_prefix(&format!("#/{field}"))
            {
                *pointer = format!("#/{name}{rest}");
            }
        }
        self
    }

    /// Several refusals of one change as one: every word of every one.
    #[must_use]
    pub fn all(mut errors: Vec<Self>) -> Option<Self> {
        if errors.len() < 2 {
            return errors.pop();
        }
        let mut first = errors.remove(0);
        for other in errors {
            first.0.detail = format!("{} {}", first.0.detail, other.0.detail);
            first.0.violations.extend(other.0.violations);
            for (member, value) in other.0.extra {
                match (first.0.extra.get_mut(&member), value) {
                    (Some(Value::Object(mine)), Value::Object(theirs)) => mine.extend(theirs),
                    (Some(_), _) => {}
                    (None, value) => {
                        first.0.extra.insert(member, value);
                    }
                }
            }
        }
        Some(first)
    }
}

/// What is done with the failures of others.
pub trait ResultExt<T> {
    /// A failure is our own fault.
    #[track_caller]
    fn internal(self) -> Result<T>;
}

impl<T, E: Display> ResultExt<T> for Result<T, E> {
    #[track_caller]
    fn internal(self) -> Result<T> {
        match self {
            Ok(value) => Ok(value),
            Err(cause) => Err(Error::internal(cause)),
        }
    }
}

/// Broken rules as they are found, so that all of them are named at once.
#[derive(Debug, Default)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// The outcome of a check. Broken rules are kept, and there is no value; any other failure ends the work
    /// now.
    pub fn collect<T>(&mut self, outcome: Result<T>) -> Result<Option<T>> {
        match outcome {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.code() == Code::Invalid => {
                self.0.extend(error.0.violations);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Refuses when any rule was broken.
    pub fn into_result(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::invalid(self.0)) }
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.0.code.as_str(), self.0.detail)?;
        self.0.cause.as_ref().map_or(Ok(()), |cause| write!(f, " ({cause})"))
    }
}

impl std::error::Error for Error {}

impl From<DbErr> for Error {
    #[track_caller]
    fn from(error: DbErr) -> Self {
        let unavailable = |error: &DbErr| {
            let mut busy = Self::new(Code::DatabaseUnavailable, "The database cannot be reached just now.")
                .retry_after(1);
            busy.0.cause = Some(error.to_string());
            busy
        };
        let known = match (&error, error.sql_err()) {
            (_, Some(SqlErr::UniqueConstraintViolation(_))) => {
                let mut taken =
                    Self::new(Code::AlreadyExists, "Something with the same unique value is there already.");
                taken.0.cause = Some(error.to_string());
                Some(taken)
            }
            (DbErr::Conn(RuntimeErr::SqlxError(cause)), _) => {
                Some(sqlstate(cause, &error).unwrap_or_else(|| unavailable(&error)))
            }
            (DbErr::ConnectionAcquire(_) | DbErr::Conn(_), _) => Some(unavailable(&error)),
            (DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause)), _) => {
                sqlstate(cause, &error)
            }
            _ => None,
        };
        // Not in a closure, which would be called from elsewhere.
        match known {
            Some(refusal) => refusal,
            None => Self::internal(error),
        }
    }
}

/// What a database says that is not our fault: gone, going, locked for too long, a deadlock broken.
fn sqlstate(cause: &sea_orm::SqlxError, error: &DbErr) -> Option<Error> {
    use sea_orm::SqlxError;
    let mut refusal = match cause {
        SqlxError::Io(_)
        | SqlxError::PoolTimedOut
        | SqlxError::PoolClosed
        | SqlxError::WorkerCrashed
        | SqlxError::Protocol(_)
        | SqlxError::Tls(_) => {
            Error::new(Code::DatabaseUnavailable, "The database cannot be reached just now.")
        }
        SqlxError::Database(database) => match database.code().as_deref() {
            // lock_timeout, deadlock_detected, serialization_failure
            Some("55P03" | "40P01" | "40001") => {
                Error::new(Code::Busy, "Others were changing the same thing. Nothing was done.")
            }
            // disk_full: nothing was kept, and room may come back.
            Some("53100") => Error::new(Code::DatabaseUnavailable, "The database cannot write just now."),
            Some(state)
                if state.len() == 5
                    && (state.starts_with("57P") || state.starts_with("08") || state.starts_with("53")) =>
            {
                Error::new(Code::DatabaseUnavailable, "The database cannot be reached just now.")
            }
            // SQLite's: a number whose lowest byte is the kind of failure.
            Some(number) => match number.parse::<u32>().ok()? & 0xff {
                // SQLITE_BUSY
                5 => Error::new(Code::Busy, "The database is busy. Nothing was done."),
                // SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN: nothing was kept, and room may come back.
                10 | 13 | 14 => Error::new(Code::DatabaseUnavailable, "The database cannot write just now."),
                _ => return None,
            },
            None => return None,
        },
        _ => return None,
    }
    .retry_after(1);
    refusal.0.cause = Some(error.to_string());
    Some(refusal)
}

impl From<validator::ValidationErrors> for Error {
    fn from(errors: validator::ValidationErrors) -> Self {
        let mut violations = Vec::new();
        flatten(&errors, "", &mut violations);
        violations.sort_by(|a, b| format!("{:?}", a.place).cmp(&format!("{:?}", b.place)));
        Self::invalid(violations)
    }
}

fn flatten(errors: &validator::ValidationErrors, path: &str, found: &mut Vec<Violation>) {
    use validator::ValidationErrorsKind;
    for (field, kind) in errors.errors() {
        // What is a keyword in Rust, such as `type`, is a plain name in JSON.
        let here = match (path, field.trim_start_matches("r#")) {
            (path, "__all__") => path.to_owned(),
            ("", field) => field.to_owned(),
            (path, field) => format!("{path}/{field}"),
        };
        match kind {
            ValidationErrorsKind::Struct(inner) => flatten(inner, &here, found),
            ValidationErrorsKind::List(list) => {
                for (index, inner) in list {
                    flatten(inner, &format!("{here}/{index}"), found);
                }
            }
            ValidationErrorsKind::Field(broken) => {
                for rule in broken {
                    found.push(Violation::field(&here, &rule.code, describe(rule)));
                }
            }
        }
    }
}

/// The rule in words, from what the validator knows of it.
fn describe(rule: &validator::ValidationError) -> String {
    if let Some(message) = &rule.message {
        return message.to_string();
    }
    let limit = |name: &str| rule.params.get(name).map(ToString::to_string);
    match (rule.code.as_ref(), limit("min"), limit("max")) {
        ("length", Some(min), Some(max)) => format!("must be {min} to {max} long"),
        ("length", Some(min), None) => format!("must be at least {min} long"),
        ("length", None, Some(max)) => format!("must be at most {max} long"),
        ("range", Some(min), Some(max)) => format!("must be from {min} to {max}"),
        ("range", Some(min), None) => format!("must be at least {min}"),
        ("range", None, Some(max)) => format!("must be at most {max}"),
        ("email", ..) => "must be an e-mail address".into(),
        (code, ..) => format!("breaks the rule {code}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: u32 = line!() + 2;
    fn ask_the_database() -> Result<()> {
        Err(DbErr::Custom("on purpose".into()))?
    }

    #[test]
    fn the_log_says_where_an_internal_error_was_made() {
        let made = (Error::internal("on purpose"), line!());
        let passed_on = ("three".parse::<i64>().internal().expect_err("no number"), line!());
        let of_the_database = (ask_the_database().expect_err("a failure"), ASKED);
        for (error, line) in [made, passed_on, of_the_database] {
            let said = error.to_string();
            assert!(said.ends_with(&format!("at {}:{line})", file!())), "{said}, not {line}");
        }
    }
}
