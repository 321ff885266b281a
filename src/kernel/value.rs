//! Text that has types: each says once what it may be, and so reads, checks and describes itself.
//!
//! What a request sends is kept as it came when it breaks a rule, so that the rule is named, and otherwise as
//! it is to be stored.

use std::{collections::BTreeMap, fmt, marker::PhantomData, ops::Deref};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use utoipa::openapi::{
    Object, ObjectBuilder, RefOr, Schema, SchemaFormat,
    schema::{SchemaType, Type},
};
use validator::{Validate, ValidateEmail, ValidationError, ValidationErrors, ValidationErrorsKind};

use super::{http_client, schedule, text};

/// A line of 1 to `MAX` characters that says something.
pub type Line<const MAX: usize> = Checked<kind::Line<MAX>>;
/// A line of up to `MAX` characters; it may be empty.
pub type PlainLine<const MAX: usize> = Checked<kind::PlainLine<MAX>>;
/// An id that another system gave: a line of 1 to `MAX` characters, kept as it came.
pub type Id<const MAX: usize> = Checked<kind::Id<MAX>>;
/// Any text of `MIN` to `MAX` characters, of as many lines as it likes.
pub type Text<const MAX: usize, const MIN: usize = 0> = Checked<kind::Text<MIN, MAX>>;
/// Text of 1 to `MAX` characters, of which one at least is no white space.
pub type NonBlank<const MAX: usize> = Checked<kind::NonBlank<MAX>>;
/// A password or the like, of `MIN` to 200 characters.
pub type Secret<const MIN: usize = 1> = Checked<kind::Secret<MIN>>;
/// A key that may stand in a URL.
pub type Key = Checked<kind::Key>;
/// The key of a value of a picklist.
pub type PicklistKey = Text<64, 1>;
/// An e-mail address.
pub type Email = Checked<kind::Email>;
/// A telephone number, as people write it.
pub type PhoneNumber = Checked<kind::PhoneNumber>;
/// An IANA time zone.
pub type ZoneName = Checked<kind::ZoneName>;
/// A BCP 47 language tag.
pub type Language = Checked<kind::Language>;
/// An ISO 3166-1 alpha-2 country.
pub type Country = Checked<kind::Country>;
/// A colour, `#rrggbb`.
pub type Color = Checked<kind::Color>;
/// A JSON Pointer (RFC 6901) of up to `MAX` characters.
pub type JsonPointer<const MAX: usize = 200> = Checked<kind::JsonPointer<MAX>>;
/// Where something is, http or https, without a name or password in it.
pub type HttpUrl = Checked<kind::HttpUrl>;
/// When something is done by itself: a cron expression of five fields.
pub type CronExpression = Checked<kind::CronExpression>;
/// An ISO 8601 duration.
pub type IsoDuration = Checked<kind::IsoDuration>;

/// The pattern of a line that says something. Patterns of the document are such as every language reads, and
/// mean the same whether a client searches for them or holds the whole text to them; what a line may not hold
/// beside the controls of ASCII (`invisible`) is said in words.
pub const LINE: &str = r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$";
/// The pattern of a line that may be empty.
const PLAIN_LINE: &str = r"^[^\x00-\x1f\x7f]*$";
/// The pattern of text that is more than white space.
const NON_BLANK: &str = r"^[\s\S]*\S[\s\S]*$";

/// Refuses what breaks a rule.
pub type Check = fn(&str) -> Result<(), ValidationError>;

/// What a kind of text may be.
pub struct Spec {
    /// Characters at the least.
    pub min: usize,
    /// Characters at the most; none when the other rules bound it.
    pub max: Option<usize>,
    /// Further rules.
    pub checks: &'static [Check],
    /// How it is stored, when not as it came.
    pub stored: Option<fn(&str) -> String>,
    /// Its regular expression in the document.
    pub pattern: Option<&'static str>,
    /// Its format in the document.
    pub format: Option<&'static str>,
}

impl Spec {
    /// Anything.
    pub const ANY: Self = Self { min: 0, max: None, checks: &[], stored: None, pattern: None, format: None };

    /// Anything of so many characters.
    #[must_use]
    pub const fn of(min: usize, max: usize) -> Self {
        Self { min, max: Some(max), ..Self::ANY }
    }

    fn broken(&self, text: &str) -> Vec<ValidationError> {
        let length = length(text.chars().count(), self.min, self.max).err();
        length.into_iter().chain(self.checks.iter().filter_map(|check| check(text).err())).collect()
    }

    fn validate(&self, text: &str) -> Result<(), ValidationErrors> {
        refuse(self.broken(text))
    }

    fn normalized(&self, text: String) -> String {
        match self.stored {
            Some(stored) if self.broken(&text).is_empty() => stored(&text),
            _ => text,
        }
    }

    fn schema(&self) -> Schema {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length((self.min > 0).then_some(self.min))
            .max_length(self.max)
            .pattern(self.pattern)
            .format(self.format.map(|format| SchemaFormat::Custom(format.into())))
            .build()
            .into()
    }
}

/// The rule about how many there may be of what, of characters or elements.
pub fn length(count: usize, min: usize, max: Option<usize>) -> Result<(), ValidationError> {
    if count >= min && max.is_none_or(|max| count <= max) {
        return Ok(());
    }
    let words = match (min, max) {
        (0, Some(max)) => format!("must be at most {max} long"),
        (min, Some(max)) => format!("must be {min} to {max} long"),
        (min, None) => format!("must be at least {min} long"),
    };
    Err(ValidationError::new("length").with_message(words.into()))
}

/// Broken rules of a value itself, which belong to the field that it stands in.
pub fn refuse(broken: Vec<ValidationError>) -> Result<(), ValidationErrors> {
    if broken.is_empty() {
        return Ok(());
    }
    let mut errors = ValidationErrors::new();
    errors.0.insert("__all__".into(), ValidationErrorsKind::Field(broken));
    Err(errors)
}

/// One kind of text.
pub trait Kind {
    /// What it may be.
    const SPEC: Spec;
}

/// Text of one kind. It was checked once its body was.
pub struct Checked<K>(String, PhantomData<fn() -> K>);

impl<K: Kind> Checked<K> {
    /// The text.
    #[must_use]
    pub fn into_inner(self) -> String {
        self.0
    }
}

impl<K: Kind> From<String> for Checked<K> {
    fn from(text: String) -> Self {
        Self(K::SPEC.normalized(text), PhantomData)
    }
}

impl<K: Kind> From<&str> for Checked<K> {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl<K> From<Checked<K>> for String {
    fn from(checked: Checked<K>) -> Self {
        checked.0
    }
}

impl<K> From<Checked<K>> for Option<String> {
    fn from(checked: Checked<K>) -> Self {
        Some(checked.0)
    }
}

impl<K> From<Checked<K>> for sea_orm::Value {
    fn from(checked: Checked<K>) -> Self {
        checked.0.into()
    }
}

impl<K> Deref for Checked<K> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<K> AsRef<str> for Checked<K> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl<K> Clone for Checked<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), PhantomData)
    }
}

impl<K> Default for Checked<K> {
    fn default() -> Self {
        Self(String::new(), PhantomData)
    }
}

impl<K> PartialEq for Checked<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<K> Eq for Checked<K> {}

impl<K> fmt::Debug for Checked<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<K> fmt::Display for Checked<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Checked<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

impl<K> Serialize for Checked<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<K: Kind> Validate for Checked<K> {
    fn validate(&self) -> Result<(), ValidationErrors> {
        K::SPEC.validate(&self.0)
    }
}

/// The kinds of text, each with what it may be.
pub mod kind {
    use super::{Kind, LINE, NON_BLANK, PLAIN_LINE, Spec, email, http_client, schedule, text};

    /// See [`super::Line`].
    pub struct Line<const MAX: usize>;
    impl<const MAX: usize> Kind for Line<MAX> {
        const SPEC: Spec = Spec {
            checks: &[text::line],
            stored: Some(text::trimmed_line),
            pattern: Some(LINE),
            ..Spec::of(1, MAX)
        };
    }

    /// See [`super::PlainLine`].
    pub struct PlainLine<const MAX: usize>;
    impl<const MAX: usize> Kind for PlainLine<MAX> {
        const SPEC: Spec = Spec {
            checks: &[text::plain],
            stored: Some(text::trimmed_line),
            pattern: Some(PLAIN_LINE),
            ..Spec::of(0, MAX)
        };
    }

    /// See [`super::Id`].
    pub struct Id<const MAX: usize>;
    impl<const MAX: usize> Kind for Id<MAX> {
        const SPEC: Spec = Spec { stored: None, ..Line::<MAX>::SPEC };
    }

    /// See [`super::Text`].
    pub struct Text<const MIN: usize, const MAX: usize>;
    impl<const MIN: usize, const MAX: usize> Kind for Text<MIN, MAX> {
        const SPEC: Spec = Spec::of(MIN, MAX);
    }

    /// See [`super::NonBlank`].
    pub struct NonBlank<const MAX: usize>;
    impl<const MAX: usize> Kind for NonBlank<MAX> {
        const SPEC: Spec = Spec { checks: &[text::not_blank], pattern: Some(NON_BLANK), ..Spec::of(1, MAX) };
    }

    /// See [`super::Secret`].
    pub struct Secret<const MIN: usize>;
    impl<const MIN: usize> Kind for Secret<MIN> {
        const SPEC: Spec = Spec { format: Some("password"), ..Spec::of(MIN, 200) };
    }

    /// See [`super::Key`].
    pub struct Key;
    impl Kind for Key {
        const SPEC: Spec = Spec { checks: &[text::key], pattern: Some("^[a-z0-9_]+$"), ..Spec::of(1, 64) };
    }

    /// See [`super::Email`].
    pub struct Email;
    impl Kind for Email {
        const SPEC: Spec =
            Spec { checks: &[email, text::plain], format: Some("idn-email"), ..Spec::of(0, 254) };
    }

    /// See [`super::PhoneNumber`].
    pub struct PhoneNumber;
    impl Kind for PhoneNumber {
        const SPEC: Spec = Spec { checks: &[text::phone], pattern: Some("[0-9]"), ..Spec::of(0, 50) };
    }

    /// See [`super::ZoneName`].
    pub struct ZoneName;
    impl Kind for ZoneName {
        const SPEC: Spec = Spec { checks: &[text::time_zone], format: Some("time-zone"), ..Spec::of(0, 64) };
    }

    /// See [`super::Language`].
    pub struct Language;
    impl Kind for Language {
        const SPEC: Spec = Spec {
            checks: &[text::language],
            pattern: Some("^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"),
            ..Spec::of(2, 35)
        };
    }

    /// See [`super::Country`].
    pub struct Country;
    impl Kind for Country {
        const SPEC: Spec = Spec { checks: &[text::country], pattern: Some("^[A-Za-z]{2}$"), ..Spec::ANY };
    }

    /// See [`super::Color`].
    pub struct Color;
    impl Kind for Color {
        const SPEC: Spec =
            Spec { checks: &[text::color], pattern: Some("^#[0-9A-Fa-f]{6}$"), ..Spec::of(0, 7) };
    }

    /// See [`super::JsonPointer`].
    pub struct JsonPointer<const MAX: usize>;
    impl<const MAX: usize> Kind for JsonPointer<MAX> {
        const SPEC: Spec =
            Spec { checks: &[text::pointer], pattern: Some("^(/([^~]|~[01])*)?$"), ..Spec::of(0, MAX) };
    }

    /// See [`super::HttpUrl`].
    pub struct HttpUrl;
    impl Kind for HttpUrl {
        const SPEC: Spec = Spec {
            checks: &[http_client::address],
            pattern: Some("^https?://[!-~]{1,1990}$"),
            format: Some("uri"),
            ..Spec::ANY
        };
    }

    /// See [`super::CronExpression`].
    pub struct CronExpression;
    impl Kind for CronExpression {
        const SPEC: Spec = Spec { checks: &[schedule::expression], ..Spec::of(0, 100) };
    }

    /// See [`super::IsoDuration`].
    pub struct IsoDuration;
    impl Kind for IsoDuration {
        const SPEC: Spec = Spec { checks: &[text::duration], format: Some("duration"), ..Spec::of(0, 40) };
    }
}

/// Refuses what is no e-mail address.
fn email(text: &str) -> Result<(), ValidationError> {
    let words = "must be an e-mail address";
    if text.validate_email() { Ok(()) } else { Err(ValidationError::new("email").with_message(words.into())) }
}

/// What a value of another shape than text may be: a map, or a list whose elements are refused together.
pub trait Rule {
    /// What it is here.
    type Value;

    /// Every rule that it breaks.
    fn check(value: &Self::Value) -> Vec<Result<(), ValidationError>>;

    /// How the document says it.
    fn schema() -> Schema;
}

/// A value that keeps a rule. It was checked once its body was.
#[derive(Serialize, Deserialize)]
#[serde(transparent, bound(serialize = "R::Value: Serialize", deserialize = "R::Value: Deserialize<'de>"))]
pub struct Valid<R: Rule>(R::Value);

impl<R: Rule<Value: Clone>> Clone for Valid<R> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<R: Rule<Value: Default>> Default for Valid<R> {
    fn default() -> Self {
        Self(R::Value::default())
    }
}

impl<R: Rule<Value: PartialEq>> PartialEq for Valid<R> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<R: Rule<Value: Eq>> Eq for Valid<R> {}

impl<R: Rule<Value: fmt::Debug>> fmt::Debug for Valid<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<R: Rule> Valid<R> {
    /// A value that was not checked yet.
    #[must_use]
    pub const fn new(value: R::Value) -> Self {
        Self(value)
    }

    /// The value.
    #[must_use]
    pub fn into_inner(self) -> R::Value {
        self.0
    }
}

impl<T, R: Rule<Value = Vec<T>>> From<Valid<R>> for Vec<T> {
    fn from(valid: Valid<R>) -> Self {
        valid.0
    }
}

impl<K, V, R: Rule<Value = BTreeMap<K, V>>> From<Valid<R>> for BTreeMap<K, V> {
    fn from(valid: Valid<R>) -> Self {
        valid.0
    }
}

impl<R: Rule> Deref for Valid<R> {
    type Target = R::Value;

    fn deref(&self) -> &R::Value {
        &self.0
    }
}

impl<R: Rule> Validate for Valid<R> {
    fn validate(&self) -> Result<(), ValidationErrors> {
        refuse(R::check(&self.0).into_iter().filter_map(Result::err).collect())
    }
}

impl<R: Rule> Described for Valid<R> {
    fn schema() -> Schema {
        R::schema()
    }
}

/// What says in the document what it may be.
pub trait Described {
    /// Its schema.
    fn schema() -> Schema;
}

impl<K: Kind> Described for Checked<K> {
    fn schema() -> Schema {
        K::SPEC.schema()
    }
}

impl<T: Described> Described for Option<T> {
    fn schema() -> Schema {
        nullable(T::schema())
    }
}

/// The same, or null.
#[must_use]
pub fn nullable(mut schema: Schema) -> Schema {
    let schema_type = match &mut schema {
        Schema::Object(Object { schema_type, .. }) => schema_type,
        Schema::Array(array) => &mut array.schema_type,
        _ => return schema,
    };
    if let SchemaType::Type(one) = schema_type {
        *schema_type = SchemaType::from_iter([one.clone(), Type::Null]);
    }
    schema
}

/// The schema of a field of this type, with what the field says itself; the words of a rule go first.
#[must_use]
pub fn described<T: Described>(about: &str, example: Option<Value>, default: Option<Value>) -> RefOr<Schema> {
    field(T::schema(), about, example, default)
}

fn field(mut schema: Schema, about: &str, example: Option<Value>, default: Option<Value>) -> RefOr<Schema> {
    let about = Some(about).filter(|about| !about.is_empty()).map(str::to_owned);
    match &mut schema {
        Schema::Object(object) => {
            object.description = object.description.take().or(about);
            (object.example, object.default) = (example, default);
        }
        Schema::Array(array) => {
            array.description = array.description.take().or(about);
            (array.example, array.default) = (example, default);
        }
        _ => {}
    }
    schema.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kernel::error::Error;

    fn said<K: Kind>(text: &str) -> (String, Vec<(String, String)>) {
        let checked: Checked<K> = serde_json::from_value(json!(text)).expect("text");
        let refusal = checked.validate().err().map(Error::from);
        let broken = refusal.iter().flat_map(|error| &error.refusal().violations);
        (checked.to_string(), broken.map(|rule| (rule.code.clone(), rule.detail.clone())).collect())
    }

    #[test]
    fn what_keeps_its_rules_is_stored_clean_and_what_breaks_one_as_it_came() {
        let broken = |code: &str, detail: &str| (code.to_owned(), detail.to_owned());
        assert_eq!(said::<kind::Line<5>>(" abc "), ("abc".into(), Vec::new()));
        assert_eq!(said::<kind::Id<5>>(" abc "), (" abc ".into(), Vec::new()));
        assert_eq!(said::<kind::PlainLine<5>>("  "), (String::new(), Vec::new()));
        assert_eq!(
            said::<kind::Line<5>>("abcde "),
            ("abcde ".into(), vec![broken("length", "must be 1 to 5 long")])
        );
        assert_eq!(
            said::<kind::Line<5>>(""),
            (
                String::new(),
                vec![broken("length", "must be 1 to 5 long"), broken("blank", "must not be blank")]
            )
        );
        assert_eq!(
            said::<kind::Text<0, 2>>("🚚🚚🚚"),
            ("🚚🚚🚚".into(), vec![broken("length", "must be at most 2 long")])
        );
    }

    #[test]
    fn a_field_is_described_by_its_type() {
        let line = described::<Option<Line<200>>>("What it says.", Some(json!("Hello")), None);
        assert_eq!(
            serde_json::to_value(line).expect("JSON"),
            json!({ "type": ["string", "null"], "description": "What it says.", "example": "Hello",
                "maxLength": 200, "minLength": 1, "pattern": LINE })
        );
    }
}
